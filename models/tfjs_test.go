package models

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadTFJS(t *testing.T) {
	t.Parallel()
	manifest := `[{"paths":["x.bin"],"weights":[
		{"name":"q","shape":[2,2],"dtype":"float32","quantization":{"dtype":"uint8","scale":0.5,"min":-1}},
		{"name":"f","shape":[2],"dtype":"float32"}]}]`
	bin := []byte{0, 1, 2, 255}
	bin = binary.LittleEndian.AppendUint32(bin, math.Float32bits(1.5))
	bin = binary.LittleEndian.AppendUint32(bin, math.Float32bits(-3))
	got, err := readTFJS([]byte(manifest), bin)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]tensor{
		"q": {[]int{2, 2}, []float32{-1, -0.5, 0, 126.5}},
		"f": {[]int{2}, []float32{1.5, -3}},
	}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(tensor{})); d != "" {
		t.Error(d)
	}
}

// The product is rounded to double before the sum, and the sum once to float32: a fused or a
// single-precision computation gives other bits for these numbers, taken from the real export.
func TestDequantiseRoundsAsJavaScriptDoes(t *testing.T) {
	t.Parallel()
	q := tfjsQuantization{Scale: 0.0005260649557207145, Min: -0.07101876902229645}
	for _, b := range []byte{0, 1, 77, 134, 135, 254, 255} {
		product := float64(b) * q.Scale
		want := float32(product + q.Min)
		if got := q.dequantise([]byte{b})[0]; got != want {
			t.Errorf("byte %d: %v, want %v", b, got, want)
		}
	}
}

func TestReadTFJSRefuses(t *testing.T) {
	t.Parallel()
	one := func(fields string) string {
		return `[{"paths":["x"],"weights":[{"name":"a",` + fields + `}]}]`
	}
	for name, c := range map[string]struct {
		manifest string
		bytes    int
		want     string
	}{
		"not JSON":         {`{`, 0, "weights manifest"},
		"too short":        {one(`"shape":[2],"dtype":"float32"`), 7, "wants 8 bytes, 7 are left"},
		"too long":         {one(`"shape":[2],"dtype":"float32"`), 9, "1 bytes are left over"},
		"other type":       {one(`"shape":[2],"dtype":"int32"`), 8, `unknown type "int32"`},
		"other quantising": {one(`"shape":[2],"dtype":"float32","quantization":{"dtype":"uint16"}`), 4, "unknown quantisation"},
		"negative":         {one(`"shape":[-2,-2],"dtype":"float32"`), 16, "out of range"},
		"zero":             {one(`"shape":[0],"dtype":"float32"`), 0, "out of range"},
		"overflow":         {one(`"shape":[16777216,16777216,16777216],"dtype":"float32"`), 0, "too large"},
		"twice": {
			`[{"weights":[{"name":"a","shape":[1],"dtype":"float32"},{"name":"a","shape":[1],"dtype":"float32"}]}]`, 8,
			"listed twice",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := readTFJS([]byte(c.manifest), make([]byte, c.bytes))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

// Whatever comes in, either it is refused or every tensor is as large as its shape and the binary
// is used up.
func FuzzReadTFJS(f *testing.F) {
	f.Add([]byte(`[{"paths":["x"],"weights":[{"name":"a","shape":[2],"dtype":"float32"}]}]`), make([]byte, 8))
	f.Add([]byte(`[{"weights":[{"name":"q","shape":[1,3],"dtype":"float32","quantization":{"dtype":"uint8","scale":1e300,"min":-1e300}}]}]`), []byte("abc"))
	f.Add([]byte(`[{"weights":[{"name":"a","shape":[],"dtype":"float32"}]}]`), make([]byte, 4))
	f.Add([]byte(`null`), []byte{})
	f.Fuzz(func(t *testing.T, manifest, bin []byte) {
		tensors, err := readTFJS(manifest, bin)
		if err != nil {
			return
		}
		least := 0
		for name, tt := range tensors {
			n, err := elements(tt.shape)
			if err != nil || n != len(tt.data) {
				t.Errorf("tensor %q: %d values for the shape %v (%v)", name, len(tt.data), tt.shape, err)
			}
			least += n
		}
		if least > len(bin) {
			t.Errorf("%d values out of %d bytes", least, len(bin))
		}
	})
}

// tfjsExport writes tensors as an unquantised export, in the order of names.
func tfjsExport(t *testing.T, names []string, tensors map[string]tensor) (manifest, bin []byte) {
	t.Helper()
	var g tfjsGroup
	for _, n := range names {
		g.Weights = append(g.Weights, tfjsTensor{Name: n, Shape: tensors[n].shape, DType: "float32"})
		for _, v := range tensors[n].data {
			bin = binary.LittleEndian.AppendUint32(bin, math.Float32bits(v))
		}
	}
	manifest, err := json.Marshal([]tfjsGroup{g})
	if err != nil {
		t.Fatal(err)
	}
	return manifest, bin
}
