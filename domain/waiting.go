package domain

// DefaultHandoffAfterSecs is how long somebody waits for a person before they are told what happens next.
const DefaultHandoffAfterSecs = 60

// waitingTexts say what happens next to somebody who has waited and nobody has come; askTexts follow where we have no address.
var (
	waitingTexts = map[string]string{
		"en": "Nobody is free right now. Your conversation stays here, and somebody will answer as soon as possible.",
		"de": "Gerade ist niemand frei. Ihr Gespräch bleibt hier, und jemand antwortet so bald wie möglich.",
		"fr": "Personne n’est disponible pour l’instant. Votre conversation reste ici, et quelqu’un répondra dès que possible.",
		"es": "Ahora mismo no hay nadie libre. Su conversación sigue aquí y alguien responderá lo antes posible.",
		"pt": "Ninguém está livre neste momento. A sua conversa fica aqui, e alguém responderá assim que possível.",
		"ar": "لا يوجد أحد متاح الآن. تبقى محادثتك هنا وسيجيبك أحدنا في أقرب وقت ممكن.",
	}
	askTexts = map[string]string{
		"en": "Leave your e-mail address if you would rather hear from us there.",
		"de": "Hinterlassen Sie Ihre E-Mail-Adresse, wenn wir Ihnen dorthin schreiben sollen.",
		"fr": "Laissez votre adresse e-mail si vous préférez que nous vous écrivions.",
		"es": "Deje su correo electrónico si prefiere que le escribamos allí.",
		"pt": "Deixe o seu e-mail se preferir que lhe escrevamos.",
		"ar": "اترك بريدك الإلكتروني إن كنت تفضل أن نراسلك عليه.",
	}
)

// WaitingText is what a contact reads when nobody has come: the owner's words if there are any, else ours in their language,
// English where we do not speak it. ask adds that we would like an address.
func WaitingText(owners, locale string, ask bool) string {
	if owners != "" {
		return owners
	}
	if !ask {
		return spoken(waitingTexts, locale)
	}
	return spoken(waitingTexts, locale) + " " + spoken(askTexts, locale)
}
