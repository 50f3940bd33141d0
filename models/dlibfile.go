package models

import (
	"bytes"
	"encoding/binary"
	"math"
)

// dlibWriter writes values in dlib's serialisation (dlib/serialize.h, dlib/float_details.h and
// the tensors of dlib/cuda/tensor.h, version 19.24).
type dlibWriter struct{ bytes.Buffer }

// integer writes the magnitude's bytes, little end first, after a byte that holds their number
// and, in its top bit, the sign.
func (w *dlibWriter) integer(v int64) {
	sign := byte(0)
	if v < 0 {
		sign, v = 0x80, -v
	}
	var b []byte
	for u := uint64(v); u != 0 || len(b) == 0; u >>= 8 {
		b = append(b, byte(u))
	}
	w.WriteByte(byte(len(b)) | sign)
	w.Write(b)
}

func (w *dlibWriter) integers(vs ...int64) {
	for _, v := range vs {
		w.integer(v)
	}
}

// text writes the length and the bytes.
func (w *dlibWriter) text(s string) {
	w.integer(int64(len(s)))
	w.WriteString(s)
}

// flags writes booleans, each as the character 0 or 1.
func (w *dlibWriter) flags(vs ...bool) {
	for _, v := range vs {
		if v {
			w.WriteByte('1')
		} else {
			w.WriteByte('0')
		}
	}
}

// doubles and floats write mantissa and exponent as integers. The two differ only in how many
// binary digits the mantissa starts with.
func (w *dlibWriter) doubles(vs ...float64) {
	for _, v := range vs {
		w.floating(v, 53)
	}
}

func (w *dlibWriter) floats(vs ...float32) {
	for _, v := range vs {
		w.floating(float64(v), 24)
	}
}

// floating takes finite values only. Low zero bytes of the mantissa go into the exponent, at most
// eight of them: so zero itself has the exponent 64 − digits.
func (w *dlibWriter) floating(v float64, digits int) {
	frac, exp := math.Frexp(v)
	mantissa := int64(math.Ldexp(frac, digits))
	exp -= digits
	for i := 0; i < 8 && mantissa&0xff == 0; i++ {
		mantissa >>= 8
		exp += 8
	}
	w.integers(mantissa, int64(exp))
}

// dims are the four dimensions of a dlib tensor: samples, channels, rows, columns.
type dims [4]int64

// alias writes the shape of a view into another tensor.
func (w *dlibWriter) alias(d dims) {
	w.integer(1)
	w.integers(d[:]...)
}

// tensor writes a dense tensor: its shape, then little-endian IEEE floats.
func (w *dlibWriter) tensor(d dims, parts ...[]float32) {
	w.integer(2)
	w.integers(d[:]...)
	for _, p := range parts {
		b := make([]byte, 0, 4*len(p))
		for _, v := range p {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		}
		w.Write(b)
	}
}
