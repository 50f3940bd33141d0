package clearance

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func testKey(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
}

func public(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }

func digestOf(s string) string {
	d := sha256.Sum256([]byte(s))
	return hex.EncodeToString(d[:])
}

const derivative = "the bytes of a finished file"

func sample() Clearance {
	return Clearance{
		Version:      Version,
		SourceSHA256: digestOf("source"),
		Derivative:   File{SHA256: digestOf(derivative), Bytes: int64(len(derivative)), Format: "jpeg", Width: 1920, Height: 1280},
		Purpose:      "press",
		Policy:       Policy{Name: "lumen", Digest: digestOf("policy")},
		Register:     Register{Revision: 17, Digest: digestOf("register")},
		GallerySHA:   digestOf("gallery"),
		ModelsSHA:    digestOf("models"),
		Options:      Options{Mode: "objectors", Style: "secure-blur", UnknownFace: "obscure"},
		JobKey:       digestOf("job"),
		Issued:       time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC),
		Faces: []Face{
			{
				Number: 1, Box: [4]float64{10, 20.5, 30, 40}, Region: &[4]float64{1, 2, 60, 80}, DetectorScore: 0.98,
				Match: Match{Subject: "4021", Band: "confident", Score: 0.41, RunnerUp: "4022"}, Outcome: OutcomeObscure, Rule: "perse-2.5b",
			},
			{Number: 2, Box: [4]float64{100, 20, 30, 40}, Match: Match{Band: "none"}, Outcome: OutcomeShow, Rule: "unknown-face"},
		},
	}
}

// filmed is a clearance of a film of four seconds.
func filmed() Clearance {
	c := sample()
	c.Derivative.Format, c.Derivative.Frames, c.Derivative.Seconds = "mp4", 100, 3.96
	c.Tracks = []Track{
		{Face: c.Faces[0], Frame: 10, At: 0.4, FirstFrame: 5, LastFrame: 40, From: 0.2, To: 1.6},
		{Face: c.Faces[1], Frame: 99, At: 3.96, FirstFrame: 50, LastFrame: 99, From: 2, To: 3.96},
	}
	c.Tracks[1].Number = 7
	c.Faces = []Face{}
	return c
}

func mustSign(t testing.TB, c Clearance) []byte {
	t.Helper()
	data, err := Sign(c, testKey(1))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestSignedClearanceVerifiesAndReadsBack(t *testing.T) {
	data := mustSign(t, sample())
	if err := Verify(strings.NewReader(derivative), data, "press", public(testKey(1))); err != nil {
		t.Fatal(err)
	}
	s, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sample(), s.Clearance); diff != "" {
		t.Error(diff)
	}
}

func TestVerifySaysWhatFailed(t *testing.T) {
	data := string(mustSign(t, sample()))
	broken := errors.New("broken disk")
	for name, c := range map[string]struct {
		file    io.Reader
		data    string
		purpose string
		key     ed25519.PublicKey
		want    error
	}{
		"other file":       {strings.NewReader(strings.Repeat("x", len(derivative))), data, "press", public(testKey(1)), ErrFile},
		"shorter file":     {strings.NewReader(derivative[1:]), data, "press", public(testKey(1)), ErrFile},
		"trailing bytes":   {strings.NewReader(derivative + "x"), data, "press", public(testKey(1)), ErrFile},
		"unreadable file":  {iotest.ErrReader(broken), data, "press", public(testKey(1)), broken},
		"other purpose":    {strings.NewReader(derivative), data, "website", public(testKey(1)), ErrPurpose},
		"no purpose":       {strings.NewReader(derivative), data, "", public(testKey(1)), ErrPurpose},
		"other key":        {strings.NewReader(derivative), data, "press", public(testKey(2)), ErrSignature},
		"no key":           {strings.NewReader(derivative), data, "press", nil, ErrSignature},
		"altered purpose":  {strings.NewReader(derivative), strings.Replace(data, `"press"`, `"website"`, 1), "website", public(testKey(1)), ErrSignature},
		"altered outcome":  {strings.NewReader(derivative), strings.Replace(data, `"4021"`, `"4023"`, 1), "press", public(testKey(1)), ErrSignature},
		"altered revision": {strings.NewReader(derivative), strings.Replace(data, `17`, `18`, 1), "press", public(testKey(1)), ErrSignature},
		"not JSON":         {strings.NewReader(derivative), "hello", "press", public(testKey(1)), ErrFormat},
		"empty":            {strings.NewReader(derivative), "", "press", public(testKey(1)), ErrFormat},
	} {
		t.Run(name, func(t *testing.T) {
			err := Verify(c.file, []byte(c.data), c.purpose, c.key)
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			for _, other := range []error{ErrFormat, ErrSignature, ErrPurpose, ErrFile} {
				if !errors.Is(other, c.want) && errors.Is(err, other) {
					t.Errorf("%v says %v too", err, other)
				}
			}
		})
	}
}

func TestFilmsClearanceVerifiesAndReadsBack(t *testing.T) {
	data := mustSign(t, filmed())
	if err := Verify(strings.NewReader(derivative), data, "press", public(testKey(1))); err != nil {
		t.Fatal(err)
	}
	s, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(filmed(), s.Clearance); diff != "" {
		t.Error(diff)
	}
}

// Clearances that lie beside photographs go on verifying, and are made as they were.
func TestPhotographsClearanceHasNothingOfFilms(t *testing.T) {
	data := mustSign(t, sample())
	for _, word := range []string{"tracks", "frames", "seconds"} {
		if bytes.Contains(data, []byte(word)) {
			t.Errorf("a photograph's clearance speaks of %s", word)
		}
	}
	if got, want := digestOf(string(data)), "43a0453dd222055710a90017817b365b6ef551f8c1f39d77e06f683828d14b3c"; got != want {
		t.Errorf("its digest is %s, was %s", got, want)
	}
}

// blocks is a reader of n bytes that counts what is asked of it at once.
type blocks struct {
	n       int64
	largest int
}

func (b *blocks) Read(p []byte) (int, error) {
	b.largest = max(b.largest, len(p))
	if b.n == 0 {
		return 0, io.EOF
	}
	n := int(min(b.n, int64(len(p))))
	b.n -= int64(n)
	clear(p[:n])
	return n, nil
}

// A film is not held in memory to be verified.
func TestVerifyStreams(t *testing.T) {
	const size = 64 << 20
	h := sha256.New()
	if _, err := io.Copy(h, &blocks{n: size}); err != nil {
		t.Fatal(err)
	}
	c := filmed()
	c.Derivative.Bytes, c.Derivative.SHA256 = size, hex.EncodeToString(h.Sum(nil))
	b := &blocks{n: size}
	if err := Verify(b, mustSign(t, c), "press", public(testKey(1))); err != nil {
		t.Fatal(err)
	}
	if b.largest > 1<<20 {
		t.Errorf("%d bytes are read at once", b.largest)
	}
}

// Each field of the payload is under the signature: changing any one of them breaks it.
func TestEveryFieldIsSigned(t *testing.T) {
	t.Run("photograph", func(t *testing.T) { everyFieldIsSigned(t, sample()) })
	t.Run("film", func(t *testing.T) { everyFieldIsSigned(t, filmed()) })
}

func everyFieldIsSigned(t *testing.T, c Clearance) {
	signed, err := Parse(mustSign(t, c))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	var walk func(v reflect.Value, path string)
	walk = func(v reflect.Value, path string) {
		switch v.Kind() {
		case reflect.Pointer:
			if !v.IsNil() {
				walk(v.Elem(), path)
			}
			return
		case reflect.Struct:
			if _, isTime := v.Interface().(time.Time); !isTime {
				for i := range v.NumField() {
					walk(v.Field(i), path+"."+v.Type().Field(i).Name)
				}
				return
			}
		case reflect.Slice, reflect.Array:
			for i := range v.Len() {
				walk(v.Index(i), path)
			}
			return
		default: // a value to alter
		}
		n++
		old := reflect.New(v.Type()).Elem()
		old.Set(v)
		switch v.Kind() {
		case reflect.String:
			v.SetString(v.String() + "x")
		case reflect.Int, reflect.Int64:
			v.SetInt(v.Int() + 1)
		case reflect.Uint64:
			v.SetUint(v.Uint() + 1)
		case reflect.Float64:
			v.SetFloat(math.Nextafter(v.Float(), 9))
		default:
			v.Set(reflect.ValueOf(time.Unix(1, 0)))
		}
		if err := signed.verifySignature(public(testKey(1))); !errors.Is(err, ErrSignature) {
			t.Errorf("%s altered: got %v", path, err)
		}
		v.Set(old)
	}
	walk(reflect.ValueOf(&signed.Clearance), "")
	if n < 30 {
		t.Errorf("only %d fields tried", n)
	}
	if err := signed.verifySignature(public(testKey(1))); err != nil {
		t.Error("unaltered again:", err)
	}
}

func TestLayoutDoesNotMatter(t *testing.T) {
	data := mustSign(t, sample())
	var compact bytes.Buffer
	if err := json.Compact(&compact, data); err != nil {
		t.Fatal(err)
	}
	var anything any // its encoder sorts fields by name
	if err := json.Unmarshal(data, &anything); err != nil {
		t.Fatal(err)
	}
	sorted, err := json.Marshal(anything)
	if err != nil {
		t.Fatal(err)
	}
	for name, d := range map[string][]byte{"compact": compact.Bytes(), "sorted": sorted, "padded": append([]byte("\n\t "), append(data, "\r\n"...)...)} {
		if err := Verify(strings.NewReader(derivative), d, "press", public(testKey(1))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseRefusesWhatCouldBeReadTwoWays(t *testing.T) {
	data := string(mustSign(t, sample()))
	for name, c := range map[string][2]string{
		"unknown field":         {`"purpose"`, `"name": "x", "purpose"`},
		"doubled field":         {`"purpose": "press"`, `"purpose": "website", "purpose": "press"`},
		"doubled in other case": {`"purpose": "press"`, `"Purpose": "website", "purpose": "press"`},
		"other case":            {`"purpose"`, `"PURPOSE"`},
		"other notation":        {`"revision": 17`, `"revision": 17.0`},
		"exponent":              {`20.5`, `2.05e1`},
		"null":                  {`"gallery_sha256": "` + digestOf("gallery") + `"`, `"gallery_sha256": null`},
		"empty, not left out":   {`"band": "none"`, `"band": "none", "subject": ""`},
		"missing field":         {`"detector_score": 0.98,`, ``},
		"time zone":             {`03:02:01Z`, `03:02:01+00:00`},
		"fraction of a second":  {`03:02:01Z`, `03:02:01.5Z`},
		"text as number":        {`"revision": 17`, `"revision": "17"`},
		"something after":       {"}\n}\n", "}\n}\n{}"},
		"not UTF-8":             {`press`, "pre\xffss"},
	} {
		t.Run(name, func(t *testing.T) {
			altered := strings.Replace(data, c[0], c[1], 1)
			if altered == data {
				t.Fatal("the test alters nothing")
			}
			if _, err := Parse([]byte(altered)); !errors.Is(err, ErrFormat) {
				t.Errorf("got %v, want %v", err, ErrFormat)
			}
		})
	}
	if _, err := Parse([]byte(strings.Repeat(" ", MaxFile+1))); !errors.Is(err, ErrFormat) {
		t.Errorf("too large: got %v", err)
	}
	if _, err := Parse([]byte(strings.Repeat("[", 100_000))); !errors.Is(err, ErrFormat) {
		t.Errorf("deep: got %v", err)
	}
}

func TestSignRefuses(t *testing.T) {
	for name, alter := range map[string]func(*Clearance){
		"other version":           func(c *Clearance) { c.Version = 2 },
		"no source":               func(c *Clearance) { c.SourceSHA256 = "" },
		"upper case digest":       func(c *Clearance) { c.JobKey = strings.ToUpper(c.JobKey) },
		"short digest":            func(c *Clearance) { c.ModelsSHA = "abcd" },
		"no policy":               func(c *Clearance) { c.Policy = Policy{} },
		"no purpose":              func(c *Clearance) { c.Purpose = "" },
		"purpose with a line end": func(c *Clearance) { c.Purpose = "press\nwebsite" },
		"purpose turned round":    func(c *Clearance) { c.Purpose = "press\u202e" },
		"long text":               func(c *Clearance) { c.Options.Mode = strings.Repeat("x", maxText+1) },
		"no bytes":                func(c *Clearance) { c.Derivative.Bytes = 0 },
		"no size":                 func(c *Clearance) { c.Derivative.Width = -1 },
		"no time":                 func(c *Clearance) { c.Issued = time.Time{} },
		"no list of faces":        func(c *Clearance) { c.Faces = nil },
		"face numbers":            func(c *Clearance) { c.Faces[1].Number = 1 },
		"face in review":          func(c *Clearance) { c.Faces[1].Outcome = "review" },
		"face undecided":          func(c *Clearance) { c.Faces[1].Outcome = "" },
		"obscured without region": func(c *Clearance) { c.Faces[0].Region = nil },
		"shown with region":       func(c *Clearance) { c.Faces[1].Region = &[4]float64{} },
		"band":                    func(c *Clearance) { c.Faces[0].Match.Band = "sure" },
		"no rule":                 func(c *Clearance) { c.Faces[0].Rule = "" },
		"not a number":            func(c *Clearance) { c.Faces[0].Match.Score = math.NaN() },
		"infinite region":         func(c *Clearance) { c.Faces[0].Region[2] = math.Inf(1) },
	} {
		c := sample()
		alter(&c)
		if _, err := Sign(c, testKey(1)); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: got %v, want %v", name, err, ErrFormat)
		}
	}
	for name, alter := range map[string]func(*Clearance){
		"tracks of a photograph":  func(c *Clearance) { c.Derivative.Frames, c.Derivative.Seconds = 0, 0 },
		"faces of a film":         func(c *Clearance) { c.Faces = sample().Faces },
		"no list of faces":        func(c *Clearance) { c.Faces = nil },
		"fewer than no frames":    func(c *Clearance) { c.Derivative.Frames = -1 },
		"time that is no number":  func(c *Clearance) { c.Derivative.Seconds = math.NaN() },
		"time runs backwards":     func(c *Clearance) { c.Derivative.Seconds = -1 },
		"seconds without frames":  func(c *Clearance) { c.Tracks, c.Derivative.Frames = nil, 0 },
		"a number twice":          func(c *Clearance) { c.Tracks[1].Number = 1 },
		"number 0":                func(c *Clearance) { c.Tracks[0].Number = 0 },
		"frame beyond the end":    func(c *Clearance) { c.Tracks[1].LastFrame = 100 },
		"frame before the start":  func(c *Clearance) { c.Tracks[0].FirstFrame = -1 },
		"best outside":            func(c *Clearance) { c.Tracks[0].Frame = 41 },
		"time outside":            func(c *Clearance) { c.Tracks[0].At = 1.7 },
		"time is no number":       func(c *Clearance) { c.Tracks[0].To = math.Inf(1) },
		"track in review":         func(c *Clearance) { c.Tracks[1].Outcome = "review" },
		"obscured without region": func(c *Clearance) { c.Tracks[0].Region = nil },
		"shown with region":       func(c *Clearance) { c.Tracks[1].Region = &[4]float64{} },
	} {
		c := filmed()
		alter(&c)
		if _, err := Sign(c, testKey(1)); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: got %v, want %v", name, err, ErrFormat)
		}
	}
	if _, err := Sign(sample(), nil); err == nil {
		t.Error("signed without a key")
	}
}

func TestSignIsDeterministic(t *testing.T) {
	c := sample()
	c.Issued = c.Issued.In(time.FixedZone("", 3600)).Add(time.Millisecond)
	if diff := cmp.Diff(string(mustSign(t, sample())), string(mustSign(t, c))); diff != "" {
		t.Error(diff)
	}
}

// The domain prefix: a signature over the bare JSON must not pass.
func TestSignatureWithoutDomainDoesNotHold(t *testing.T) {
	s, err := Parse(mustSign(t, sample()))
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(s.Clearance)
	if err != nil {
		t.Fatal(err)
	}
	s.Signature.Value = ed25519.Sign(testKey(1), body)
	if err := s.verifySignature(public(testKey(1))); !errors.Is(err, ErrSignature) {
		t.Errorf("got %v, want %v", err, ErrSignature)
	}
}

func TestJobKey(t *testing.T) {
	base := JobInputs{Asset: "a", Purpose: "b", Policy: "c", Register: "d", Gallery: "e", Models: "f", Options: "g", Revision: "h"}
	seen := map[string]string{JobKey(base): "base", JobKey(JobInputs{}): "empty"}
	for i := range reflect.TypeFor[JobInputs]().NumField() {
		in := base
		reflect.ValueOf(&in).Elem().Field(i).SetString("changed")
		name := reflect.TypeFor[JobInputs]().Field(i).Name
		if other, twice := seen[JobKey(in)]; twice {
			t.Errorf("a change of %s gives the key of %s", name, other)
		}
		seen[JobKey(in)] = name
	}
	if JobKey(JobInputs{Asset: "ab", Purpose: "c"}) == JobKey(JobInputs{Asset: "a", Purpose: "bc"}) {
		t.Error("two inputs run together")
	}
	// Results lie under these keys for years: a change of the encoding must be meant.
	if got, want := JobKey(base), "51c77685cc31fc6b8d842f46bb67e40b652f909cb8c74b1a6aab81a5fa044114"; got != want {
		t.Errorf("key is %s, was %s", got, want)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(mustSign(f, sample()))
	f.Add(mustSign(f, filmed()))
	f.Add([]byte(`{"clearance":{},"signature":{}}`))
	f.Add([]byte(`[[[[1e999]]]]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Parse(data)
		if err != nil {
			if !errors.Is(err, ErrFormat) {
				t.Fatalf("%v is no error of format", err)
			}
			return
		}
		// What was read must be signable and come back as the same.
		again, err := Sign(s.Clearance, testKey(1))
		if err != nil {
			t.Fatal(err)
		}
		back, err := Parse(again)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(s.Clearance, back.Clearance); diff != "" {
			t.Fatal(diff)
		}
	})
}
