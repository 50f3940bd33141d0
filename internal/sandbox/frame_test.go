package sandbox

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/consentry/consentry/pipeline"
)

func TestFrameRoundTrip(t *testing.T) {
	for _, body := range [][]byte{nil, {1}, bytes.Repeat([]byte("ab"), 1<<20)} {
		var buffer bytes.Buffer
		if err := writeFrame(&buffer, request{Call: callFind}, body); err != nil {
			t.Fatal(err)
		}
		var q request
		got, err := readFrame(&buffer, &q)
		if err != nil || q.Call != callFind || !bytes.Equal(got, body) {
			t.Errorf("%d bytes came back as %d, %v", len(body), len(got), err)
		}
		if _, err := readFrame(&buffer, &q); !errors.Is(err, io.EOF) {
			t.Errorf("at the end: %v, want io.EOF", err)
		}
	}
}

func TestCutFrameIsAnError(t *testing.T) {
	var buffer bytes.Buffer
	if err := writeFrame(&buffer, request{Call: callFind}, []byte("body")); err != nil {
		t.Fatal(err)
	}
	whole := buffer.Bytes()
	for n := 1; n < len(whole); n++ {
		var q request
		if _, err := readFrame(bytes.NewReader(whole[:n]), &q); err == nil || errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("%d of %d bytes: %v, want an error that is not a clean end", n, len(whole), err)
		}
	}
}

// An announced length alone must not cost memory: the other side may be hostile.
func TestAnnouncedLengthCostsNothing(t *testing.T) {
	claim := []byte{0, 0, 0, 2, 0, 0, 0, 0, 0x7f, 0, 0, 0, '{', '}'}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := readFrame(bytes.NewReader(claim), &request{}); err == nil {
		t.Fatal("a body that does not come must be an error")
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
		t.Errorf("%d bytes were allocated for a body that never came", used)
	}
}

func FuzzReadFrame(f *testing.F) {
	var buffer bytes.Buffer
	if err := writeFrame(&buffer, response{}, []byte("x")); err != nil {
		f.Fatal(err)
	}
	f.Add(bytes.Clone(buffer.Bytes()))
	buffer.Reset()
	if err := writeFrame(&buffer, response{Progress: &pipeline.Frames{Done: 1, Total: 2}}, nil); err != nil {
		f.Fatal(err)
	}
	f.Add(buffer.Bytes())
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, data []byte) {
		var r response
		body, err := readFrame(bytes.NewReader(data), &r)
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := writeFrame(&again, r, body); err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		var r2 response
		body2, err := readFrame(&again, &r2)
		if err != nil || !bytes.Equal(body, body2) {
			t.Fatalf("written again it reads otherwise: %v", err)
		}
		if diff := cmp.Diff(r, r2, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
	})
}
