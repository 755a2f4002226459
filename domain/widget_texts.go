package domain

// WidgetTexts are the widget's names for the words it says, in the order in which a visitor meets them. An owner may put others in
// their place; title and greeting have settings of their own.
var WidgetTexts = []string{
	"en", "de", "fr", "es", "pt", "ar", "open", "unread", "close", "conversation", "write", "send", "left", "over", "sending", "failed",
	"retry", "discard", "seen", "you", "agent", "human", "system", "typing", "answering", "soon", "waiting", "away", "opens", "here",
	"closed", "joined", "back", "asked", "arrived", "ended", "person", "unseen", "offline", "reconnecting", "gone", "attach", "drop",
	"settings", "dismiss", "intro", "name", "email", "phone", "message", "start", "skip", "unsaved", "leave", "leaving", "reach", "reaching",
	"noted", "sources", "visit", "rate", "stars", "comment", "thanks", "sound", "badge", "files", "uploading", "remove", "again", "large",
	"kind", "blank", "many", "unsent",
}

// MaxWidgetText bounds one of an owner's own texts, in characters.
const MaxWidgetText = 200
