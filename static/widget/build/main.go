// Command build writes the widget's bundles into widget/dist, prints their sizes, and fails when one is over its limit.
// It is run by go generate in the folder static.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/parley-chat/parley/static/widget"
)

func main() {
	if err := run("widget", os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "widget:", err)
		os.Exit(1)
	}
}

func run(dir string, out io.Writer) error {
	bundles, err := widget.Build(filepath.Join(dir, "src"), "closed")
	if err != nil {
		return err
	}
	var over []error
	for _, b := range bundles {
		size := b.Gzipped()
		fmt.Fprintf(out, "%-9s %6d bytes, %5d gzipped of at most %d\n", b.Name, len(b.Body), size, b.Limit)
		if size > b.Limit {
			over = append(over, fmt.Errorf("%s is %d bytes over its limit", b.Name, size-b.Limit))
		}
	}
	if over != nil {
		return errors.Join(over...)
	}
	for _, b := range bundles {
		if err := os.WriteFile(filepath.Join(dir, "dist", b.Name), b.Body, 0o644); err != nil {
			return err
		}
	}
	return nil
}
