package models

import (
	"fmt"
)

// resNetFromTFJS turns the TensorFlow.js export of dlib's face recognition ResNet v1 (the weights
// manifest and the binary of @vladmandic/face-api) into the .dat file that dlib 19.24 reads.
//
// The network is the anet_type of dlib's dnn_face_recognition_ex.cpp, which go-face repeats. The
// export is quantised to 8 bits except for the filters of 64 channels; the file holds floats. The
// same input gives the same bytes on every machine.
func resNetFromTFJS(manifest, bin []byte) ([]byte, error) {
	tensors, err := readTFJS(manifest, bin)
	if err != nil {
		return nil, err
	}
	b := &resNetBuilder{tensors: tensors, net: dlibNet{
		trained: true,
		loss: func(w *dlibWriter) {
			w.text("loss_metric_2")
			w.floats(0.04, 0.6) // dlib's default margin and distance threshold
		},
		input: func(w *dlibWriter) {
			w.text("input_rgb_image_sized")
			dlibMeanColour(w)
			w.integers(150, 150)
		},
	}}
	b.build()
	if b.err != nil {
		return nil, fmt.Errorf("convert the dlib ResNet: %w", b.err)
	}
	if len(b.tensors) != 0 {
		return nil, fmt.Errorf("convert the dlib ResNet: %d tensors have no place in the network", len(b.tensors))
	}
	return b.net.bytes(), nil
}

// dlibMeanColour writes the mean red, green and blue that dlib's RGB inputs subtract by default.
func dlibMeanColour(w *dlibWriter) { w.floats(122.782, 117.001, 104.298) }

// resNetBuilder takes tensors out of the map as it lays them into the network. The first error
// stays; after it nothing is looked at.
type resNetBuilder struct {
	tensors map[string]tensor
	net     dlibNet
	err     error
}

// build adds the stem, the five levels and the output. Blocks are named by channels and place.
func (b *resNetBuilder) build() {
	b.conv("conv32_down", 3, 32, 7, 2)
	b.net.add(dlibReLU(), dlibPool("max_pool_2", 3, 2))
	channels := int64(32)
	for _, block := range []struct {
		name string
		n    int64
		down bool
	}{
		{"conv32_1", 32, false},
		{"conv32_2", 32, false},
		{"conv32_3", 32, false},
		{"conv64_down", 64, true},
		{"conv64_1", 64, false},
		{"conv64_2", 64, false},
		{"conv64_3", 64, false},
		{"conv128_down", 128, true},
		{"conv128_1", 128, false},
		{"conv128_2", 128, false},
		{"conv256_down", 256, true},
		{"conv256_1", 256, false},
		{"conv256_2", 256, false},
		{"conv256_down_out", 256, true},
	} {
		b.residual(block.name, channels, block.n, block.down)
		channels = block.n
	}
	fc := b.take("fc", 256, 128)
	b.net.add(dlibPool("avg_pool_2", 0, 1), dlibFullyConnected(256, 128, fc))
}

// residual adds two convolutions and the sum with what went in, which a down block first halves
// in size by average pooling.
func (b *resNetBuilder) residual(name string, in, out int64, down bool) {
	stride := int64(1)
	if down {
		stride = 2
	}
	b.net.add(dlibMarker())
	b.conv(name+"/conv1", in, out, 3, stride)
	b.net.add(dlibReLU())
	b.conv(name+"/conv2", out, out, 3, 1)
	if down {
		b.net.add(dlibMarker(), dlibMarker(), dlibPool("avg_pool_2", 2, 2))
	}
	b.net.add(dlibAddPrev(), dlibReLU())
}

// conv adds a convolution and its affine layer. dlib pads by half the filter when the stride is 1
// and not at all otherwise.
func (b *resNetBuilder) conv(name string, in, out, size, stride int64) {
	c := dlibConv{filters: out, size: size, stride: stride, shape: dims{out, in, size, size}}
	if stride == 1 {
		c.padding = size / 2
	}
	hwio := b.take(name+"/conv/filters", size, size, in, out)
	c.weights = filtersFirst(hwio, int(size*size), int(in), int(out))
	c.biases = b.take(name+"/conv/bias", out)
	gamma := b.take(name+"/scale/weights", out)
	beta := b.take(name+"/scale/biases", out)
	b.net.add(c.layer(), dlibAffine(gamma, beta))
}

// take removes the tensor from the map, having checked its shape.
func (b *resNetBuilder) take(name string, shape ...int64) []float32 {
	if b.err != nil {
		return nil
	}
	t, ok := b.tensors[name]
	if !ok {
		b.err = fmt.Errorf("tensor %q is missing", name)
		return nil
	}
	delete(b.tensors, name)
	ok = len(t.shape) == len(shape)
	for i := 0; ok && i < len(shape); i++ {
		ok = int64(t.shape[i]) == shape[i]
	}
	if !ok {
		b.err = fmt.Errorf("tensor %q has the shape %v, want %v", name, t.shape, shape)
		return nil
	}
	return t.data
}

// filtersFirst reorders TensorFlow's [rows, columns, channels, filters] to dlib's [filters,
// channels, rows, columns].
func filtersFirst(hwio []float32, area, in, out int) []float32 {
	nchw := make([]float32, len(hwio))
	if len(hwio) != area*in*out {
		return nil
	}
	for p := range area {
		for c := range in {
			for n := range out {
				nchw[(n*in+c)*area+p] = hwio[(p*in+c)*out+n]
			}
		}
	}
	return nchw
}
