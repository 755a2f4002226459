package views

import (
	"fmt"
	"strings"
)

// fileKind is what people call a type of file.
func fileKind(mime string) string {
	switch {
	case strings.HasPrefix(mime, "image/"):
		return "Picture"
	case strings.HasPrefix(mime, "audio/"):
		return "Sound"
	case strings.HasPrefix(mime, "video/"):
		return "Film"
	case mime == "application/pdf":
		return "PDF"
	case mime == "text/csv", strings.HasSuffix(mime, ".sheet"):
		return "Table"
	case strings.HasSuffix(mime, ".presentation"):
		return "Slides"
	case strings.HasPrefix(mime, "text/"):
		return "Text"
	}
	return "Document"
}

// fileSize is how large a file is, as people say it.
func fileSize(bytes int64) string {
	switch {
	case bytes < 1000:
		return plural(int(bytes), "byte", "bytes")
	case bytes < 1_000_000:
		return fmt.Sprintf("%d KB", (bytes+500)/1000)
	}
	return fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
}
