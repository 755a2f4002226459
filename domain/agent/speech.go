package agent

import "regexp"

// speech is what the builtin runtime understands and says in one language. What it understands is written folded, as
// [wordsOf] leaves it; what it says comes in variants, of which the first that was not said just before is taken.
type speech struct {
	function string         // words that carry no meaning of their own; they also tell the language
	greeting string         // phrases, separated by |
	filler   string         // phrases that may follow a greeting or thanks without adding a question
	closing  string         // thanks, goodbye and the like
	yes, no  string         // answers to the offer of a person
	person   *regexp.Regexp // asking for a person
	self     *regexp.Regexp // asking whether this is one

	greet, greetAgain, unknown, about, closed, handoff []string
	blind                                              []string // to files, which it cannot look into
	welcome                                            string   // to thanks after the goodbye
}

// languages in the order in which they win a tie.
var languages = []*speech{&english, &german, &french, &spanish, &portuguese}

var english = speech{
	function: "the a an is are was were do does did you your yours i im my me we our us it its this that these those what when where which who " +
		"how why can could would will should shall have has had for of to in on at and or not dont doesnt with from be been there please " +
		"about if any some so but by as than then just also very much many more want need like know tell get got " +
		"one two three four five six seven eight nine ten",
	greeting: "hi|hello|hey|hiya|howdy|yo|greetings|good morning|good afternoon|good evening|good day|i have a question|can you help me|could you help me|i need help|i need some help|help|is anyone there|anyone there|are you there",
	filler:   "there|all|everyone|everybody|team|folks|guys|again|you|how are you|how are you doing|so much|very much|a lot|for your help|for the help|then|now|please|bot",
	closing:  "thanks|thank you|thx|ty|cheers|bye|goodbye|see you|ok|okay|great|perfect|cool|nice|awesome|got it|all good|that helps|that helped",
	yes:      "yes|yes please|yeah|yep|yup|sure|ok|okay|please|please do|yes do|of course|go ahead|that would be great|that would be nice|sounds good",
	no:       "no|nope|no thanks|no thank you|nah|not now|not necessary",
	person: regexp.MustCompile(`\b(talk|talking|speak|speaking|chat|chatting|connect me|connected|transfer me|put me through) (to|with) ` +
		`((a|an|the|your|some|one|of|real|live|actual|human|support|customer|service) )*` +
		`(human|humans|person|someone|somebody|agent|representative|rep|operator|people|staff|employee|colleague|support|service|team)\b` +
		`|\b(real|live|actual) (human|humans|person|people|agent)\b|\bhuman (agent|being|support|help|please)\b` +
		`|\b(agent|person|operator|representative|someone) please\b|\b(want|need|get me|give me) (a|an) (human|person|operator|representative|live agent)\b` +
		`|^(a |an )?(human|person|agent|operator|representative)$`),
	self:       regexp.MustCompile(`\b(are you|is this|am i (talking|speaking|chatting) (to|with)) ((a|an|real|actual|live|just) )*(bot|robot|chatbot|human|person|machine|computer|ai|real)\b|^(who|what) are you$`),
	greet:      []string{"Hello! I can look things up in our help articles for you. What would you like to know?"},
	greetAgain: []string{"I'm listening. What would you like to know?", "I'm still here. How can I help?"},
	unknown: []string{
		"I'm sorry, I don't know that: I found nothing about it in our help articles. Would you like me to get a person from our team?",
		"I don't have an answer to that one either. Shall I bring in someone from our team?",
		"That is beyond what I can look up. Would you like someone from our team to take over?",
	},
	about:   []string{"I'm an automated assistant: I look answers up in our help articles. Would you like me to get a person from our team?"},
	blind:   []string{"Thank you, the file has arrived. I can't look into files myself. Would you like me to get a person from our team?"},
	closed:  []string{"Happy to help. I'm here if anything else comes up.", "All right. Just write if there is anything else."},
	welcome: "You're welcome.",
	handoff: []string{"Of course. I've asked our team to join; someone will answer you right here.", "I've asked our team again. Someone will answer you right here."},
}

var german = speech{
	function: "der die das den dem des ein eine einen einem einer ist sind war bin ich mein meine meinen du dein sie ihr ihre ihren ihnen wir uns es was wann " +
		"wo wer wie warum welche welcher welches kann konnen konnte wurde wird werden habe haben hat hab fur von zu zum zur in im auf an am und oder nicht " +
		"kein keine mit aus bei gibt bitte uber wenn man auch noch denn mir mich dass nach mochte will wissen viel viele mehr " +
		"eins zwei drei vier funf sechs sieben acht neun zehn",
	greeting: "hallo|guten tag|guten morgen|guten abend|moin|moin moin|servus|gruss gott|gruezi|gruss dich|tag|ich habe eine frage|ich hatte eine frage|ich hab eine frage|kannst du mir helfen|konnen sie mir helfen|ich brauche hilfe|hilfe|ist da jemand",
	filler:   "zusammen|an alle|ihr|team|wie geht s|wie geht es ihnen|wie geht es dir|nochmal|schon|vielmals|sehr|fur die hilfe|ihnen|dir",
	closing:  "danke|danke schon|dankeschon|vielen dank|besten dank|herzlichen dank|tschuss|tschus|auf wiedersehen|alles klar|super|prima|passt|verstanden",
	yes:      "ja|ja bitte|ja gerne|ja gern|gerne|gern|bitte|okay|ok|klar",
	no:       "nein|nein danke|nee|ne danke|nicht notig",
	person: regexp.MustCompile(`\bmit (\w+ ){0,3}(mensch|menschen|mitarbeiter|mitarbeiterin|person|jemand|jemandem|berater|beraterin|kollegen|kollegin|kundendienst|kundenservice|support)\b.*` +
		`\b(sprechen|reden|schreiben|chatten|telefonieren|verbinden|verbunden)\b` +
		`|\b(sprechen|spreche|reden|rede|schreiben|chatten|verbinden|verbinde) (\w+ )?(mich )?(bitte )?mit (\w+ ){0,3}(mensch|menschen|mitarbeiter|mitarbeiterin|person|jemand|jemandem|berater|support)\b` +
		`|\b(echte|echten|echter|echtem|richtige|richtigen|richtiger) (mensch|menschen|person|mitarbeiter|mitarbeiterin)\b` +
		`|\b(will|mochte|brauche|hatte gern|hatte gerne) (jetzt |bitte |lieber |gern |gerne )*(einen|eine) (mensch|menschen|mitarbeiter|mitarbeiterin|berater|beraterin)\b` +
		`|\b(mensch|menschen|mitarbeiter|mitarbeiterin) bitte\b|^(ein |einen )?(mensch|menschen|mitarbeiter|mitarbeiterin)$`),
	self:       regexp.MustCompile(`\b(bist du|sind sie|ist das|rede ich mit|spreche ich mit) ((ein|eine|einem|einer|echter|echte|echten|echtem|richtiger|richtigen|nur) )*(bot|roboter|chatbot|mensch|menschen|person|maschine|computer|ki)\b|^wer (bist du|sind sie)$`),
	greet:      []string{"Guten Tag! Ich kann für Sie in unseren Hilfeartikeln nachsehen. Was möchten Sie wissen?"},
	greetAgain: []string{"Ich höre. Was möchten Sie wissen?", "Ich bin noch da. Wie kann ich helfen?"},
	unknown: []string{
		"Das weiß ich leider nicht: In unseren Hilfeartikeln steht dazu nichts. Soll ich jemanden aus unserem Team dazuholen?",
		"Auch darauf habe ich keine Antwort. Soll jemand aus unserem Team übernehmen?",
		"Dazu kann ich nichts nachschlagen. Möchten Sie, dass sich jemand aus unserem Team darum kümmert?",
	},
	about:   []string{"Ich bin ein automatischer Assistent und schlage in unseren Hilfeartikeln nach. Soll ich jemanden aus unserem Team dazuholen?"},
	blind:   []string{"Danke, die Datei ist angekommen. Ich selbst kann nicht in Dateien hineinsehen. Soll ich jemanden aus unserem Team dazuholen?"},
	closed:  []string{"Gern geschehen. Ich bin da, falls noch etwas ist.", "Alles klar. Schreiben Sie einfach, wenn noch etwas ist."},
	welcome: "Gerne!",
	handoff: []string{"Gerne. Ich habe unser Team gebeten dazuzukommen; Sie bekommen hier Antwort.", "Ich habe unser Team noch einmal gerufen. Sie bekommen hier Antwort."},
}

var french = speech{
	function: "le la les l un une des du de d est sont suis je j mon ma mes me moi vous votre vos nous notre nos il elle on ce c cette ces que qu quoi quand ou qui " +
		"comment pourquoi peut puis peux pouvez avoir ai as a avez ont pour dans sur et pas ne n avec chez y t s plait svp quel quelle quels quelles au aux en si plus " +
		"deux trois quatre cinq six sept huit dix",
	greeting: "bonjour|bonsoir|salut|coucou|rebonjour|j ai une question|pouvez vous m aider|vous pouvez m aider|aidez moi|il y a quelqu un",
	filler:   "a tous|a toutes|a vous|l equipe|ca va|comment allez vous|encore|beaucoup|bien|pour votre aide",
	closing:  "merci|merci beaucoup|au revoir|bonne journee|d accord|parfait|super|tres bien",
	yes:      "oui|oui merci|oui s il vous plait|oui svp|volontiers|d accord|ok|avec plaisir",
	no:       "non|non merci|pas maintenant|ca ira",
	person: regexp.MustCompile(`\b(parler|discuter|echanger) (a|avec) (\w+ ){0,3}(humain|humaine|personne|quelqu un|conseiller|conseillere|agent|operateur|equipe|support)\b` +
		`|\b(vraie personne|vrai humain|etre humain|un humain|personne reelle)\b` +
		`|\b(humain|conseiller|conseillere|agent) (s il vous plait|svp)\b|^(un |une )?(humain|conseiller|conseillere|agent)$`),
	self:       regexp.MustCompile(`\b(etes vous|es tu|vous etes|tu es|c est|je parle a) ((un|une|vrai|vraie) )*(robot|bot|humain|humaine|personne|machine|ia|chatbot)\b|^qui (etes vous|es tu)$`),
	greet:      []string{"Bonjour ! Je peux chercher pour vous dans nos articles d'aide. Que souhaitez-vous savoir ?"},
	greetAgain: []string{"Je vous écoute. Que souhaitez-vous savoir ?", "Je suis toujours là. Comment puis-je vous aider ?"},
	unknown: []string{
		"Désolé, je ne sais pas : je n'ai rien trouvé à ce sujet dans nos articles d'aide. Voulez-vous que j'appelle quelqu'un de notre équipe ?",
		"Je n'ai pas non plus de réponse à cette question. Souhaitez-vous qu'une personne de notre équipe prenne le relais ?",
	},
	about:   []string{"Je suis un assistant automatique : je cherche les réponses dans nos articles d'aide. Voulez-vous que j'appelle quelqu'un de notre équipe ?"},
	blind:   []string{"Merci, le fichier est bien arrivé. Je ne peux pas ouvrir les fichiers moi-même. Voulez-vous que j'appelle quelqu'un de notre équipe ?"},
	closed:  []string{"Avec plaisir. Je reste là si vous avez une autre question.", "Entendu. Écrivez-moi s'il y a autre chose."},
	welcome: "Je vous en prie.",
	handoff: []string{"Bien sûr. J'ai prévenu notre équipe ; quelqu'un vous répondra ici même.", "J'ai de nouveau prévenu notre équipe. Quelqu'un vous répondra ici même."},
}

var spanish = speech{
	function: "el la los las lo un una unos unas es son soy esta estan yo mi mis me tu su sus nos nosotros que cuando donde quien como por para puede puedo pueden tener tengo " +
		"tiene tienen hay de del al en y o no con este esta esto eso cual cuales cuanto cuanta favor se si mas a usted ustedes quiero " +
		"uno dos tres cuatro cinco seis siete ocho nueve diez",
	greeting: "hola|buenas|buenos dias|buenas tardes|buenas noches|que tal|tengo una pregunta|tengo una duda|me puede ayudar|me puedes ayudar|puede ayudarme|ayuda|hay alguien",
	filler:   "a todos|equipo|que tal|como estas|como esta|otra vez|muchas|por la ayuda|por tu ayuda|por su ayuda",
	closing:  "gracias|muchas gracias|mil gracias|adios|hasta luego|vale|perfecto|genial|de acuerdo|muy bien",
	yes:      "si|si por favor|claro|vale|ok|por favor|de acuerdo|si gracias",
	no:       "no|no gracias|ahora no|no hace falta",
	person: regexp.MustCompile(`\b(hablar|hable|chatear|comunicarme|contactar) con (\w+ ){0,3}(humano|humana|persona|alguien|agente|asesor|asesora|operador|operadora|representante|soporte|equipo)\b` +
		`|\b(persona real|persona de verdad|ser humano|un humano|agente humano)\b` +
		`|\b(agente|humano|persona|asesor) por favor\b|^(un |una )?(agente|humano|asesor|persona)$`),
	self:       regexp.MustCompile(`\b(eres|es usted|es|hablo con|estoy hablando con) ((un|una|verdadero) )*(robot|bot|humano|persona|maquina|ia|chatbot)\b|^quien (eres|es usted)$`),
	greet:      []string{"¡Hola! Puedo buscar por usted en nuestros artículos de ayuda. ¿Qué le gustaría saber?"},
	greetAgain: []string{"Le escucho. ¿Qué le gustaría saber?", "Sigo aquí. ¿En qué puedo ayudar?"},
	unknown: []string{
		"Lo siento, no lo sé: no he encontrado nada sobre eso en nuestros artículos de ayuda. ¿Quiere que avise a una persona de nuestro equipo?",
		"Tampoco tengo respuesta para eso. ¿Prefiere que se ocupe alguien de nuestro equipo?",
	},
	about:   []string{"Soy un asistente automático: busco las respuestas en nuestros artículos de ayuda. ¿Quiere que avise a una persona de nuestro equipo?"},
	blind:   []string{"Gracias, el archivo ha llegado. Yo no puedo abrir archivos. ¿Quiere que avise a una persona de nuestro equipo?"},
	closed:  []string{"Con mucho gusto. Aquí estoy si necesita algo más.", "De acuerdo. Escríbame si hay algo más."},
	welcome: "De nada.",
	handoff: []string{"Por supuesto. He avisado a nuestro equipo; alguien le responderá aquí mismo.", "He vuelto a avisar a nuestro equipo. Alguien le responderá aquí mismo."},
}

var portuguese = speech{
	function: "o a os as um uma uns umas e sao sou esta estao eu meu minha meus minhas me voce voces seu sua nos nosso que quando onde quem como por para pode posso podem ter " +
		"tenho tem ha de do da dos das em no na nos nas nao com este isso isto qual quais quanto favor se mais ao ou quero " +
		"dois duas tres quatro cinco seis sete oito nove dez",
	greeting: "ola|oi|bom dia|boa tarde|boa noite|tenho uma pergunta|tenho uma duvida|pode me ajudar|voce pode me ajudar|ajuda|tem alguem ai",
	filler:   "a todos|pessoal|equipe|equipa|tudo bem|tudo bom|como vai|de novo|muito|pela ajuda",
	closing:  "obrigado|obrigada|muito obrigado|muito obrigada|valeu|tchau|ate logo|perfeito|otimo|certo|ta bom",
	yes:      "sim|sim por favor|claro|pode ser|ok|por favor|quero sim",
	no:       "nao|nao obrigado|nao obrigada|agora nao|nao precisa",
	person: regexp.MustCompile(`\b(falar|conversar) com (\w+ ){0,3}(humano|humana|pessoa|alguem|atendente|agente|operador|operadora|representante|suporte|equipe|equipa)\b` +
		`|\b(pessoa real|pessoa de verdade|ser humano|um humano|atendente humano)\b` +
		`|\b(atendente|humano|pessoa) por favor\b|^(um |uma )?(atendente|humano|pessoa)$`),
	self:       regexp.MustCompile(`\b(voce e|isto e|isso e|estou falando com|falo com) ((um|uma) )*(robo|robot|bot|humano|pessoa|maquina|ia|chatbot)\b|^quem (e voce|es tu)$`),
	greet:      []string{"Olá! Posso procurar nos nossos artigos de ajuda. O que gostaria de saber?"},
	greetAgain: []string{"Pode dizer. O que gostaria de saber?", "Continuo aqui. Como posso ajudar?"},
	unknown: []string{
		"Lamento, isso eu não sei: não encontrei nada sobre o assunto nos nossos artigos de ajuda. Quer que eu chame uma pessoa da nossa equipe?",
		"Também não tenho resposta para isso. Prefere que alguém da nossa equipe assuma?",
	},
	about:   []string{"Sou um assistente automático: procuro as respostas nos nossos artigos de ajuda. Quer que eu chame uma pessoa da nossa equipe?"},
	blind:   []string{"Obrigado, o ficheiro chegou. Eu não consigo abrir ficheiros. Quer que eu chame uma pessoa da nossa equipe?"},
	closed:  []string{"De nada. Estou aqui se precisar de mais alguma coisa.", "Certo. É só escrever se houver mais alguma coisa."},
	welcome: "Imagina!",
	handoff: []string{"Claro. Avisei a nossa equipe; alguém vai responder aqui mesmo.", "Avisei a nossa equipe de novo. Alguém vai responder aqui mesmo."},
}
