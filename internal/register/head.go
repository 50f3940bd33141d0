package register

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

const (
	headKey    = "head"
	pagePrefix = "page."
	// headVersion and pageVersion are the forms that this package writes and reads.
	headVersion = 1
	pageVersion = 1
	// pageCount is a part of the form: with another one every subject would be in another page. With
	// 50,000 subjects a page holds about 195.
	pageCount = 256
)

// ref names a page from the head; the zero ref is a page without subjects, which is not stored.
type ref struct {
	Key      string `json:"key"`
	SHA256   string `json:"sha256"`   // of the stored bytes, in hex
	Subjects int    `json:"subjects"` // at least 1
}

// head says which pages make up the register.
type head struct {
	revision uint64 // counts the changes since the first
	pages    [pageCount]ref
}

// headJSON is the head as it is stored.
type headJSON struct {
	Version  int            `json:"version"`
	Revision uint64         `json:"revision"`
	Pages    map[string]ref `json:"pages"` // by number: 00 to ff
}

func pageNumber(page int) string { return fmt.Sprintf("%02x", page) }

// newKey is a key that no page has had: page.NN.SECONDS-RANDOM. The time is for people who look at
// the bucket; nothing here depends on anybody's clock.
func newKey(page int) string {
	return fmt.Sprintf("%s%s.%d-%s", pagePrefix, pageNumber(page), time.Now().Unix(), rand.Text())
}

func (h *head) encode() ([]byte, error) {
	out := headJSON{Version: headVersion, Revision: h.revision, Pages: make(map[string]ref)}
	for i, p := range h.pages {
		if p.Key != "" {
			out.Pages[pageNumber(i)] = p
		}
	}
	data, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("write the head of the register: %w", err)
	}
	return data, nil
}

// parseHead refuses whatever this package would not have written.
func parseHead(data []byte) (*head, error) {
	var in headJSON
	if err := decode(data, headVersion, &in); err != nil {
		return nil, fmt.Errorf("head: %w", err)
	}
	h := head{revision: in.Revision}
	for i := range h.pages {
		number := pageNumber(i)
		p, there := in.Pages[number]
		if !there {
			continue
		}
		if err := p.check(number); err != nil {
			return nil, fmt.Errorf("head: page %s: %w", number, err)
		}
		h.pages[i] = p
		delete(in.Pages, number)
	}
	if len(in.Pages) > 0 {
		return nil, errors.New("head: it names pages that there cannot be")
	}
	return &h, nil
}

func (p ref) check(number string) error {
	sum, err := hex.DecodeString(p.SHA256)
	switch {
	case !strings.HasPrefix(p.Key, pagePrefix+number+"."):
		return errors.New("its key is not one of that page")
	case err != nil || len(sum) != 32:
		return errors.New("its digest is none")
	case p.Subjects < 1:
		return errors.New("it has no subjects")
	}
	return nil
}

// names says whether one of the keys is that of a page of the register.
func (h *head) names(key string) bool {
	for _, p := range h.pages {
		if p.Key == key && key != "" {
			return true
		}
	}
	return false
}

// decode reads JSON of a version, and refuses unknown fields and anything that follows. The decoder's
// own words may repeat what was stored, so they are not.
func decode(data []byte, version int, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	failed := d.Decode(into) != nil
	is := versionOf(data)
	if is > 0 && is != version {
		return fmt.Errorf("%w (version %d; this program knows version %d)", ErrVersion, is, version)
	}
	_, err := d.Token()
	if failed || is != version || !errors.Is(err, io.EOF) {
		return errors.New("it is not of the expected form")
	}
	return nil
}

// versionOf is the version that JSON of any form says first, or 0 where it says none.
func versionOf(data []byte) int {
	d := json.NewDecoder(bytes.NewReader(data))
	for _, want := range []json.Token{json.Delim('{'), "version"} {
		if token, err := d.Token(); err != nil || token != want {
			return 0
		}
	}
	var version int
	if d.Decode(&version) != nil {
		return 0
	}
	return version
}
