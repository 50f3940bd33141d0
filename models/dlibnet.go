package models

// dlibNet describes a dlib network from the input outwards, in the order in which data flows, and
// writes it as dlib does: the version numbers of all wrappers from the outermost to the innermost,
// the input, then each layer's own details from the innermost to the outermost.
type dlibNet struct {
	trained bool
	loss    func(*dlibWriter)
	input   func(*dlibWriter)
	layers  []dlibLayer
}

// dlibLayer is one wrapper of the C++ type. Tags and skips carry nothing but a version.
type dlibLayer struct {
	details func(*dlibWriter) // nil for a tag or a skip
	inPlace bool              // the layer overwrites its input, so the one below keeps no output
}

// Versions of dlib 19.24's wrappers (dlib/dnn/core.h).
const (
	lossVersion       = 1
	layerVersion      = 2
	inputLayerVersion = 3 // add_layer directly on the input
	markerVersion     = 1 // tags and skips
)

func (n *dlibNet) add(layers ...dlibLayer) { n.layers = append(n.layers, layers...) }

// bytes serialises the network as it is after dlib's clean(): no outputs, no gradients.
func (n *dlibNet) bytes() []byte {
	w := &dlibWriter{}
	w.integer(lossVersion)
	n.loss(w)
	for i := len(n.layers) - 1; i > 0; i-- {
		if n.layers[i].details == nil {
			w.integer(markerVersion)
		} else {
			w.integer(layerVersion)
		}
	}
	w.integer(inputLayerVersion)
	n.input(w)
	for i, l := range n.layers {
		if l.details != nil {
			l.details(w)
			n.trailer(w, i)
		}
	}
	return w.Bytes()
}

// trailer writes the state that add_layer keeps beside the layer's details: set up, gradient
// stale, output given away to an in-place layer above, and three empty tensors. The innermost
// layer also keeps how many samples one input makes.
func (n *dlibNet) trailer(w *dlibWriter, i int) {
	givenAway := i+1 < len(n.layers) && n.layers[i+1].inPlace
	w.flags(n.trained, true, givenAway)
	for range 3 {
		w.tensor(dims{})
	}
	if i == 0 {
		w.integer(n.expansion())
	}
}

func (n *dlibNet) expansion() int64 {
	if n.trained {
		return 1
	}
	return 0
}

func dlibMarker() dlibLayer { return dlibLayer{} }

func dlibReLU() dlibLayer {
	return dlibLayer{func(w *dlibWriter) { w.text("relu_") }, true}
}

func dlibAddPrev() dlibLayer {
	return dlibLayer{func(w *dlibWriter) { w.text("add_prev_") }, false}
}

// dlibPool is max_pool or avg_pool; size 0 means the whole plane.
func dlibPool(kind string, size, stride int64) dlibLayer {
	return dlibLayer{func(w *dlibWriter) {
		w.text(kind)
		w.integers(size, size, stride, stride, 0, 0)
	}, false}
}

// dlibConv is a square convolution with biases. A nil weight leaves it not set up.
type dlibConv struct {
	filters, size, stride, padding int64
	shape                          dims // of the weights: filters, channels, rows, columns
	weights, biases                []float32
}

func (c dlibConv) layer() dlibLayer {
	return dlibLayer{func(w *dlibWriter) {
		w.text("con_5")
		w.tensor(column(c.weights, c.biases), c.weights, c.biases)
		w.integers(c.filters, c.size, c.size, c.stride, c.stride, c.padding, c.padding)
		w.alias(c.shape)
		w.alias(row(c.biases))
		w.rates()
	}, false}
}

// rates writes dlib's defaults for training: learning rate and weight decay multipliers of
// weights, then of biases, and that biases are used.
func (w *dlibWriter) rates() {
	w.doubles(1, 1, 1, 0)
	w.flags(true)
}

// Modes of dlib's affine layer: one pair (gamma, beta) a channel, or one an element. A layer that
// was never set up is in the second.
const (
	affinePerChannel = 0
	affinePerElement = 1
)

// dlibAffine scales and shifts each channel (gamma, beta). Nil leaves it not set up.
func dlibAffine(gamma, beta []float32) dlibLayer {
	mode := int64(affinePerChannel)
	if gamma == nil {
		mode = affinePerElement
	}
	return dlibLayer{func(w *dlibWriter) {
		w.text("affine_2")
		w.tensor(column(gamma, beta), gamma, beta)
		w.alias(row(gamma))
		w.alias(row(beta))
		w.integer(mode)
		w.flags(false)
	}, true}
}

// dlibFullyConnected multiplies by an inputs × outputs matrix, without biases.
func dlibFullyConnected(inputs, outputs int64, weights []float32) dlibLayer {
	return dlibLayer{func(w *dlibWriter) {
		w.text("fc_3")
		w.integers(outputs, inputs)
		w.tensor(dims{inputs, outputs, 1, 1}, weights)
		w.alias(dims{inputs, outputs, 1, 1})
		w.alias(dims{})
		w.integer(1) // no biases
		w.rates()
	}, false}
}

// column is the shape of a parameter tensor that holds the parts one after the other.
func column(parts ...[]float32) dims {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	if n == 0 {
		return dims{}
	}
	return dims{int64(n), 1, 1, 1}
}

// row is the shape of a view of one value per channel.
func row(v []float32) dims {
	if len(v) == 0 {
		return dims{}
	}
	return dims{1, int64(len(v)), 1, 1}
}
