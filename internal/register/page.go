package register

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/consentry/consentry/internal/consent"
)

const (
	// maxPageBytes bounds a stored page. It leaves room for headers below the bucket's 768 KiB.
	maxPageBytes = 760 << 10
	// maxPlainBytes bounds a page before compression, so that no stored bytes can fill memory. Real
	// ones hold 600 KB for 200 subjects of twelve records each.
	maxPlainBytes = 64 << 20
)

// page is a part of the register as it is stored, gzipped.
type page struct {
	Version int    `json:"version"`
	Page    string `json:"page"` // its number: 00 to ff
	// Salt keeps the digest in the head, which is overwritten and not erased, from being used to
	// find out by trial what an erased page has said of a subject.
	Salt    string          `json:"salt"`
	Entries []consent.Entry `json:"entries"` // by admission number
}

// pageOf is the page of a subject: the first byte of the SHA-256 of its number in lower case. It is
// a part of the stored form and must never change.
func pageOf(id string) int {
	sum := sha256.Sum256([]byte(strings.ToLower(id)))
	return int(sum[0])
}

// members lists, by page, who is in the wanted pages.
func members(reg *consent.Register, wanted func(page int) bool) map[int][]string {
	list := make(map[int][]string)
	for _, id := range reg.IDs() {
		if p := pageOf(id); wanted(p) {
			list[p] = append(list[p], id)
		}
	}
	return list
}

// encodePage gives the bytes that are stored for the subjects of a page, and the head's word on
// them, but for the key.
func encodePage(number int, entries []consent.Entry) ([]byte, ref, error) {
	out := page{Version: pageVersion, Page: pageNumber(number), Salt: rand.Text(), Entries: entries}
	plain, err := json.Marshal(out)
	if err != nil {
		return nil, ref{}, fmt.Errorf("write page %s of the register: %w", out.Page, err)
	}
	var stored bytes.Buffer
	// The fastest level: others gain 15 % in size and take twice the time.
	z, err := gzip.NewWriterLevel(&stored, gzip.BestSpeed)
	if err == nil {
		_, err = z.Write(plain)
		err = errors.Join(err, z.Close())
	}
	if err != nil {
		return nil, ref{}, fmt.Errorf("write page %s of the register: %w", out.Page, err)
	}
	if len(plain) > maxPlainBytes || stored.Len() > maxPageBytes {
		return nil, ref{}, tooLarge(entries, stored.Len())
	}
	sum := sha256.Sum256(stored.Bytes())
	return stored.Bytes(), ref{SHA256: hex.EncodeToString(sum[:]), Subjects: len(entries)}, nil
}

// tooLarge names the subject with the most records, who is the likely cause.
func tooLarge(entries []consent.Entry, size int) error {
	records := 0
	for _, e := range entries {
		records += len(e.Records)
	}
	most := slices.MaxFunc(entries, func(a, b consent.Entry) int { return len(a.Records) - len(b.Records) })
	return fmt.Errorf("%d subjects with %d records take %d KiB compressed, where %d are possible (subject %s has %d of the records): %w",
		len(entries), records, size>>10, maxPageBytes>>10, most.Subject.AdmissionNumber, len(most.Records), ErrTooLarge)
}

// decodePage gives the subjects of a page. Bytes that are not the ones that the head speaks of are
// refused.
func decodePage(number int, want ref, stored []byte) ([]consent.Entry, error) {
	if sum := sha256.Sum256(stored); hex.EncodeToString(sum[:]) != want.SHA256 {
		return nil, errors.New("its digest is not the one in the head")
	}
	plain, err := unzip(stored)
	if err != nil {
		return nil, err
	}
	var in page
	if err := decode(plain, pageVersion, &in); err != nil {
		return nil, err
	}
	switch {
	case in.Page != pageNumber(number):
		return nil, errors.New("it is another page")
	case len(in.Entries) != want.Subjects:
		return nil, fmt.Errorf("it has %d subjects, and the head says %d", len(in.Entries), want.Subjects)
	}
	for _, e := range in.Entries {
		if pageOf(e.Subject.AdmissionNumber) != number {
			return nil, errors.New("it holds a subject of another page")
		}
	}
	return in.Entries, nil
}

func unzip(stored []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(stored))
	if err != nil {
		return nil, errors.New("it cannot be decompressed")
	}
	plain, err := io.ReadAll(io.LimitReader(z, maxPlainBytes+1))
	if err != nil {
		return nil, errors.New("it cannot be decompressed")
	}
	if len(plain) > maxPlainBytes {
		return nil, errors.New("it is larger than any page can be")
	}
	return plain, nil
}
