package agent

import (
	"strings"
	"testing"

	"github.com/parley-chat/parley/domain"
)

func TestLanguageIn(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		lines []string
		want  *speech
	}{
		"markup":                  {[]string{"?: <script>alert(1)</script> **bold** [x](javascript:alert(1)) http://example.com"}, &english},
		"a name with a dot":       {[]string{"?: example.com"}, &english},
		"a mailbox":               {[]string{"?: eu.para.voce@com.example"}, &english},
		"one stray word":          {[]string{"?: broken link example com page missing"}, &english},
		"a foreign dish":          {[]string{"?: send me the a la carte menu"}, &english},
		"code":                    {[]string{"?: it fails: `der die das`", "?: ```\nque para com uma\n```"}, &english},
		"unfinished code":         {[]string{"?: ```\nque para com uma"}, &english},
		"nothing but an address":  {[]string{"?: https://shop.example/que/para/com"}, &english},
		"German with an address":  {[]string{"?: Was ist mit https://the.example/what/is/this los?"}, &german},
		"short German":            {[]string{"?: Versand nach Österreich?"}, &german},
		"German of four words":    {[]string{"?: Lieferung nach Österreich möglich?"}, &german},
		"French":                  {[]string{"?: Quels sont les frais de livraison ?"}, &french},
		"Spanish":                 {[]string{"?: ¿Cuánto cuesta el envío a Chile?"}, &spanish},
		"Portuguese":              {[]string{"?: Quanto custa o envio para o Brasil?"}, &portuguese},
		"one word":                {[]string{"?: danke"}, &german},
		"a link in a German talk": {[]string{"v: Wo ist meine Bestellung?", "a: …", "?: http://example.com bold x com page"}, &german},
		"from German to English":  {[]string{"v: Wo ist mein Paket?", "a: …", "?: Where is the parcel that I have been waiting for?"}, &english},
		"emoji":                   {[]string{"?: 👍"}, &english},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := chat(tt.lines...)
			if got := languageIn(r, pendingLines(r)); got != tt.want {
				t.Errorf("answers as in %q", got.greet[0])
			}
		})
	}
}

func TestBuiltinAnswersMarkupInEnglish(t *testing.T) {
	t.Parallel()
	got, _ := answer(t, `{}`, nil, chat("?: <script>alert(1)</script> **bold** [x](javascript:alert(1)) http://example.com"))
	if got.Reply.Content != english.unknown[0] {
		t.Errorf("said %q", got.Reply.Content)
	}
}

func TestBuiltinStartsWithTheRule(t *testing.T) {
	t.Parallel()
	rules := domain.Passage{Article: "r", Title: "Returns", Rank: .9, Body: "Send anything back within 30 days:\n\n1. Choose **Return an item**.\n\n" +
		"Exchanges go out at once. Bags with a name, or with one strap, cannot be returned."}
	got, _ := answer(t, `{}`, &shelf{articles: []domain.Passage{rules}}, chat("?: one more thing: returns?"))
	if !strings.HasPrefix(got.Reply.Content, "Send anything back") {
		t.Errorf("said %q", got.Reply.Content)
	}
}

func TestBuiltinIgnoresAddressesInItsChoice(t *testing.T) {
	t.Parallel()
	lead := domain.Passage{Article: "o", Title: "Orders", Rank: .9, Body: "An order takes two days."}
	other := domain.Passage{Article: "x", Title: "Example", Rank: .8, Body: "Our shop example has an order at https."}
	got, _ := answer(t, `{}`, &shelf{articles: []domain.Passage{lead, other}}, chat("?: order https://shop.example/x joe@shop.example"))
	if len(got.Reply.Citations) != 1 || got.Reply.Citations[0].Title != "Orders" {
		t.Errorf("cites %+v", got.Reply.Citations)
	}
}
