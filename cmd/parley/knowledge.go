package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/domain/agent"
)

type knowledgeCmd struct {
	Import knowledgeImportCmd `cmd:"" help:"Import articles from a folder of Markdown files, or from the pages that a sitemap names. Doing it again updates them."`
}

type knowledgeImportCmd struct {
	From           string `arg:"" help:"A folder, a sitemap.xml file, or a sitemap's address."`
	Org            string `required:"" help:"The organisation's slug."`
	Language       string `help:"Of articles that do not say; english by default."`
	Classification string `help:"Of articles that do not say; PUBLIC by default."`
	Prune          bool   `help:"Remove articles that an earlier import of files (or of this site) brought and that are gone."`
	JSON           bool   `help:"Print JSON."`
}

// maxMarkdownFile bounds one file, in bytes.
const maxMarkdownFile = 1 << 20

func (c *knowledgeImportCmd) Run(ctx context.Context, std *stdio, env getenv) error {
	cfg, err := readConfig(env, std.Err)
	if err != nil {
		return err
	}
	all, failed, prefix, err := c.read(ctx, &agent.Outbound{Public: cfg.outboundPublic})
	if err != nil {
		return err
	}
	for i := range all {
		if all[i].Language == "" {
			all[i].Language = c.Language
		}
		if all[i].Classification == "" {
			all[i].Classification = domain.Classification(c.Classification)
		}
	}
	return withOrganisation(ctx, std, env, c.Org, func(accounts *account.Service, org domain.OrgID) error {
		done, err := accounts.ImportArticles(ctx, org, all)
		if err != nil {
			return err
		}
		maps.Copy(done.Failed, failed)
		if c.Prune {
			kept := slices.Clone(all)
			for source := range failed { // it is there, only not to be read just now
				kept = append(kept, account.Import{Source: source})
			}
			if done.Removed, err = accounts.PruneArticles(ctx, org, prefix, kept); err != nil {
				return err
			}
		}
		return c.tell(std, done)
	})
}

func (c *knowledgeImportCmd) tell(std *stdio, done account.Imported) error {
	if c.JSON {
		if err := json.NewEncoder(std.Out).Encode(done); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(std.Out, "%d added, %d updated, %d unchanged, %d removed\n", done.Added, done.Updated, done.Unchanged, len(done.Removed))
		for _, source := range slices.Sorted(maps.Keys(done.Failed)) {
			fmt.Fprintf(std.Out, "not imported: %s: %s\n", source, done.Failed[source])
		}
	}
	if n := len(done.Failed); n > 0 {
		return fmt.Errorf("%d could not be imported, see above", n)
	}
	return nil
}

// read gathers what is to be imported, and what the sources of all of it begin with.
func (c *knowledgeImportCmd) read(ctx context.Context, out *agent.Outbound) (all []account.Import, failed map[string]string, prefix string, err error) {
	site := account.Site{Client: out.Client()}
	if strings.HasPrefix(c.From, "https://") || strings.HasPrefix(c.From, "http://") {
		return site.Read(ctx, c.From, nil)
	}
	info, err := os.Stat(c.From)
	switch {
	case err != nil:
		return nil, nil, "", err
	case !info.IsDir() && strings.EqualFold(filepath.Ext(c.From), ".xml"):
		data, err := os.ReadFile(c.From)
		if err != nil {
			return nil, nil, "", err
		}
		return site.Read(ctx, "", data)
	case !info.IsDir():
		return nil, nil, "", errors.New("give a folder of Markdown files, a sitemap.xml or a sitemap's address")
	}
	all, failed, err = markdownFiles(os.DirFS(c.From))
	return all, failed, account.FileSource, err
}

// markdownFiles reads every .md file below a folder; those whose names begin with a dot are nobody's articles.
func markdownFiles(dir fs.FS) (all []account.Import, failed map[string]string, err error) {
	failed = map[string]string{}
	err = fs.WalkDir(dir, ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != "." && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case d.IsDir() || strings.HasPrefix(d.Name(), ".") || !strings.EqualFold(filepath.Ext(path), ".md"):
			return nil
		}
		source := account.FileSource + path
		if info, err := d.Info(); err == nil && info.Size() > maxMarkdownFile {
			failed[source] = "it is larger than a megabyte"
			return nil
		}
		text, err := fs.ReadFile(dir, path)
		if err != nil {
			failed[source] = err.Error()
			return nil
		}
		name := strings.TrimSuffix(d.Name(), filepath.Ext(d.Name()))
		all = append(all, account.Import{Source: source, ArticleInput: account.ParseMarkdown(name, string(text))})
		return nil
	})
	if err == nil && len(all)+len(failed) == 0 {
		err = errors.New("there is no .md file in that folder")
	}
	return all, failed, err
}
