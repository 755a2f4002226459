package domain

// MissedText is what a mail about missed replies says around them, in a visitor's language. %s in it stands for the widget's title.
type MissedText struct {
	Lang    string // BCP 47
	Subject string
	Intro   string
	Link    string // to the page with the chat
	NoLink  string // how to answer where there is no link
	Why     string // they get a mail
}

var missedTexts = map[string]MissedText{
	"en": {"en", "New reply from %s", "You have a reply from %s that you have not read yet.", "Answer in the chat",
		"To answer, open the chat on the page where you wrote to us.", "You get this mail because you left this address in the chat."},
	"de": {"de", "Neue Antwort von %s", "Sie haben eine Antwort von %s, die Sie noch nicht gelesen haben.", "Im Chat antworten",
		"Zum Antworten öffnen Sie den Chat auf der Seite, auf der Sie uns geschrieben haben.", "Sie erhalten diese Mail, weil Sie diese Adresse im Chat hinterlassen haben."},
	"fr": {"fr", "Nouvelle réponse de %s", "Vous avez une réponse de %s que vous n’avez pas encore lue.", "Répondre dans le chat",
		"Pour répondre, ouvrez le chat sur la page où vous nous avez écrit.", "Vous recevez ce message parce que vous avez laissé cette adresse dans le chat."},
	"es": {"es", "Nueva respuesta de %s", "Tiene una respuesta de %s que aún no ha leído.", "Responder en el chat",
		"Para responder, abra el chat en la página desde la que nos escribió.", "Recibe este correo porque dejó esta dirección en el chat."},
	"pt": {"pt", "Nova resposta de %s", "Tem uma resposta de %s que ainda não leu.", "Responder no chat",
		"Para responder, abra o chat na página em que nos escreveu.", "Recebe este e-mail porque deixou este endereço no chat."},
	"ar": {"ar", "رد جديد من %s", "لديك رد من %s لم تقرأه بعد.", "الرد في المحادثة",
		"للرد، افتح المحادثة في الصفحة التي راسلتنا منها.", "تصلك هذه الرسالة لأنك تركت هذا العنوان في المحادثة."},
}

// MissedTextIn is the text in a locale's language, English where we do not speak it.
func MissedTextIn(locale string) MissedText { return spoken(missedTexts, locale) }
