package look

import (
	"bytes"
	"fmt"
	"math"

	"github.com/consentry/consentry/internal/media/film"
)

// model is what the frames of a finished film are held against, in order.
type model interface {
	// compare wraps film.ErrDifferent where frame n is another.
	compare(f *film.Frame, b *blocks, n int) error
	close()
}

// noted compares with what was noted beside the segments when they were encoded.
type noted struct {
	folder     string
	digests    []string // of the segments
	encoding   film.Encoding
	segment    int
	means, now []byte
}

// off is how far the mean of a cell, and the mean over all cells, may be from what went into the encoder, in grey values. Measured on a
// crowd, a test picture and a zoom into a fractal, with both encoders: at CRF 20 cells were off by 2 and frames by 0.4 at most; at
// CRF 51 by 37 and 6.2. In between the steps of quantisation double with every 6 (H.264 §8.5.9). At CRF 20 a frame of the crowd
// in the place of the fifth after it was noticed in 92 of 100 cases, and of the twelfth in all.
func off(e film.Encoding) (cell, frame float64) {
	step := math.Exp2(float64(e.CRF-20) / 6)
	return 8 + 1.2*step, 2 + 0.2*step
}

func (m *noted) compare(_ *film.Frame, b *blocks, n int) error {
	if len(m.means) == 0 && m.segment < len(m.digests) {
		s, ok := readSegment(m.folder, m.segment, m.digests[m.segment])
		if !ok {
			return different("a segment that the film was made of is gone")
		}
		m.means = s.Means
		m.segment++
	}
	m.now = b.means(m.now[:0])
	if len(m.means) < len(m.now) {
		return different("frame %d was never encoded", n)
	}
	sum, worst := 0, 0
	for i, v := range m.now {
		d := int(v) - int(m.means[i])
		sum, worst = sum+max(d, -d), max(worst, d, -d)
	}
	m.means = m.means[len(m.now):]
	cell, frame := off(m.encoding)
	if float64(worst) > cell || float64(sum) > frame*float64(len(m.now)) {
		return different("frame %d of the finished film shows something else", n)
	}
	return nil
}

func (m *noted) close() {}

// original compares with the source, byte by byte.
type original struct {
	decoder *film.Decoder
	frame   film.Frame
}

func (o *original) compare(f *film.Frame, _ *blocks, n int) error {
	if err := o.decoder.Next(&o.frame); err != nil {
		return fmt.Errorf("%w: %w", errSource, err)
	}
	if !bytes.Equal(f.Pix, o.frame.Pix) {
		return different("frame %d of the finished film shows something else", n)
	}
	return nil
}

func (o *original) close() { _ = o.decoder.Close() } // it was only read
