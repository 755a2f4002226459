package domain

// TranscriptText is what a mailed transcript says around the conversation, in a contact's language. %s in it stands for whom they talked with.
type TranscriptText struct {
	Lang    string // BCP 47
	Subject string
	Intro   string
	You     string // a contact who has not said their name
}

var transcriptTexts = map[string]TranscriptText{
	"en": {"en", "Your conversation with %s", "This is your conversation with %s.", "You"},
	"de": {"de", "Ihr Gespräch mit %s", "Das ist Ihr Gespräch mit %s.", "Sie"},
	"fr": {"fr", "Votre conversation avec %s", "Voici votre conversation avec %s.", "Vous"},
	"es": {"es", "Su conversación con %s", "Esta es su conversación con %s.", "Usted"},
	"pt": {"pt", "A sua conversa com %s", "Esta é a sua conversa com %s.", "Você"},
	"ar": {"ar", "محادثتك مع %s", "هذه محادثتك مع %s.", "أنت"},
}

// TranscriptTextIn is the text in a locale's language, English where we do not speak it.
func TranscriptTextIn(locale string) TranscriptText { return spoken(transcriptTexts, locale) }
