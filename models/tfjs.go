package models

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// maxTensorElements bounds one tensor of a TFJS export. The largest one that the product reads
// has 3×3×256×256 elements.
const maxTensorElements = 1 << 24

// tfjsTensor is one tensor of a TensorFlow.js weights manifest.
type tfjsTensor struct {
	Name         string            `json:"name"`
	Shape        []int             `json:"shape"`
	DType        string            `json:"dtype"`
	Quantization *tfjsQuantization `json:"quantization"`
}

// tfjsQuantization says how bytes stand for floats: value = byte × Scale + Min.
type tfjsQuantization struct {
	DType string  `json:"dtype"`
	Scale float64 `json:"scale"`
	Min   float64 `json:"min"`
}

// tfjsGroup is a run of tensors that lie one after the other in the files of Paths.
type tfjsGroup struct {
	Paths   []string     `json:"paths"`
	Weights []tfjsTensor `json:"weights"`
}

// tensor is a dense array with its shape, slowest dimension first.
type tensor struct {
	shape []int
	data  []float32
}

// readTFJS reads a TensorFlow.js weights manifest and the binary that belongs to it. The binary
// must be used up exactly: a byte too many or too few means that the two do not belong together.
func readTFJS(manifest, bin []byte) (map[string]tensor, error) {
	var groups []tfjsGroup
	if err := json.Unmarshal(manifest, &groups); err != nil {
		return nil, fmt.Errorf("read the TFJS weights manifest: %w", err)
	}
	out := make(map[string]tensor)
	for _, g := range groups {
		for _, w := range g.Weights {
			if _, twice := out[w.Name]; twice {
				return nil, fmt.Errorf("TFJS tensor %q is listed twice", w.Name)
			}
			t, rest, err := w.take(bin)
			if err != nil {
				return nil, fmt.Errorf("TFJS tensor %q: %w", w.Name, err)
			}
			out[w.Name], bin = t, rest
		}
	}
	if len(bin) != 0 {
		return nil, fmt.Errorf("TFJS weights: %d bytes are left over after the last tensor", len(bin))
	}
	return out, nil
}

// take decodes the tensor from the front of bin and returns what follows it.
func (t tfjsTensor) take(bin []byte) (tensor, []byte, error) {
	n, err := elements(t.Shape)
	if err != nil {
		return tensor{}, nil, err
	}
	if t.DType != "float32" {
		return tensor{}, nil, fmt.Errorf("unknown type %q", t.DType)
	}
	size, decode := 4*n, float32s
	if q := t.Quantization; q != nil {
		if q.DType != "uint8" {
			return tensor{}, nil, fmt.Errorf("unknown quantisation %q", q.DType)
		}
		size, decode = n, q.dequantise
	}
	if len(bin) < size {
		return tensor{}, nil, fmt.Errorf("wants %d bytes, %d are left", size, len(bin))
	}
	return tensor{t.Shape, decode(bin[:size])}, bin[size:], nil
}

// elements multiplies a shape, refusing what is negative or beyond maxTensorElements.
func elements(shape []int) (int, error) {
	n := 1
	for _, d := range shape {
		if d <= 0 || d > maxTensorElements {
			return 0, errors.New("shape out of range")
		}
		if n *= d; n > maxTensorElements {
			return 0, errors.New("shape too large")
		}
	}
	return n, nil
}

// dequantise computes in double precision, as JavaScript does, and rounds once to float32. The
// inner conversion forbids a fused multiply-add, so that every CPU gives the same bits.
func (q tfjsQuantization) dequantise(b []byte) []float32 {
	var table [256]float32
	for i := range table {
		table[i] = float32(float64(float64(i)*q.Scale) + q.Min)
	}
	out := make([]float32, len(b))
	for i, v := range b {
		out[i] = table[v]
	}
	return out
}

// float32s reads little-endian IEEE floats; the length is a multiple of four.
func float32s(b []byte) []float32 {
	out := make([]float32, len(b)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return out
}
