package report

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
)

//go:embed sheet.html
var sheetHTML string

//go:embed sheet.css
var sheetCSS string

//go:embed film.html
var filmHTML string

// Render writes the contact sheet: one HTML file that loads nothing else.
func Render(w io.Writer, r Report, pictures Pictures) error {
	if err := r.validate(); err != nil {
		return fmt.Errorf("rendering the contact sheet: %w", err)
	}
	s, err := newSheet(r, pictures)
	if err != nil {
		return fmt.Errorf("rendering the contact sheet: %w", err)
	}
	return s.render(w)
}

func (s *sheet) render(w io.Writer) error {
	t, err := template.New("sheet").Parse(sheetHTML)
	if err == nil {
		_, err = t.New("film").Parse(filmHTML)
	}
	if err != nil {
		return fmt.Errorf("reading the contact sheet's template: %w", err)
	}
	s.CSS = template.CSS(sheetCSS)
	s.CSP = policy()
	if err := t.Execute(w, s); err != nil {
		return fmt.Errorf("rendering the contact sheet: %w", err)
	}
	return nil
}

// policy lets the browser use the embedded style sheet, by its digest, and pictures within the
// file. No script, frame, form, font or address is allowed, whatever a file name might smuggle in.
func policy() string {
	d := sha256.Sum256([]byte(sheetCSS))
	return "default-src 'none'; img-src data:; style-src 'sha256-" + base64.StdEncoding.EncodeToString(d[:]) +
		"'; base-uri 'none'; form-action 'none'"
}
