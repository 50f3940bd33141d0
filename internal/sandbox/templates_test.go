package sandbox

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/track"
)

func described() []track.Track {
	return []track.Track{
		{ID: 1, Views: []track.View{
			{Frame: 1, Face: face.Face{Templates: face.Templates{face.MobileFaceNet: {1, -2, 3.5}, face.DlibResNet: {0.1}}}},
			{Frame: 2},
		}},
		{ID: 2},
		{ID: 3, Views: []track.View{{Face: face.Face{Templates: face.Templates{face.DlibResNet: {4, 5}}}}}},
	}
}

func TestTemplatesCrossUnchanged(t *testing.T) {
	tracks := described()
	refs, body := packTemplates(tracks)
	if len(tracks[0].Views[0].Face.Templates) > 0 || len(body) != 4*6 {
		t.Fatalf("%d bytes, and left behind: %v", len(body), tracks)
	}
	if err := unpackTemplates(tracks, refs, body); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(described(), tracks); diff != "" {
		t.Error(diff)
	}
}

// The other side may be hostile.
func TestTemplatesThatCannotBe(t *testing.T) {
	refs, body := packTemplates(described())
	for name, test := range map[string]struct {
		refs [][]templateRef
		body []byte
	}{
		"cut off":       {refs, body[:20]},
		"left over":     {refs, append(append([]byte{}, body...), 0)},
		"too few views": {refs[:2], body[:16]},
		"too many":      {append(append([][]templateRef{}, refs...), nil), body},
		"negative":      {[][]templateRef{{{face.DlibResNet, -1}}, nil, nil}, nil},
		"enormous":      {[][]templateRef{{{face.DlibResNet, 1 << 62}}, nil, nil}, body},
		"no number":     {[][]templateRef{{{face.DlibResNet, 1}}, nil, nil}, []byte{0, 0, 0xc0, 0x7f}},
	} {
		tracks := described()
		packTemplates(tracks)
		if err := unpackTemplates(tracks, test.refs, test.body); !errors.Is(err, errFrame) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
