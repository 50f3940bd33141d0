package models

// detectorStub is dlib's CNN face detector without weights: what dlib 19.24 writes for a network
// that was never trained. go-face wants the file to be there when it loads, but the product never
// calls that detector (2 s and 1.5 GB for one small photograph); calling it all the same gives
// a clean error.
func detectorStub() []byte {
	n := dlibNet{
		loss: stubLoss,
		input: func(w *dlibWriter) {
			w.text("input_rgb_image_pyramid2")
			dlibMeanColour(w)
			w.integers(10, 11) // padding between and around the levels of the pyramid
		},
	}
	// Filters and stride of each 5×5 convolution, inside to outside; then the 9×9 one that scores.
	for _, c := range [][2]int64{{16, 2}, {32, 2}, {32, 2}, {45, 1}, {45, 1}, {45, 1}} {
		conv := dlibConv{filters: c[0], size: 5, stride: c[1]}
		if c[1] == 1 {
			conv.padding = 2
		}
		n.add(conv.layer(), dlibAffine(nil, nil), dlibReLU())
	}
	n.add(dlibConv{filters: 1, size: 9, stride: 1, padding: 4}.layer())
	return n.bytes()
}

// stubLoss writes loss_mmod with dlib's default options and no detector windows.
func stubLoss(w *dlibWriter) {
	w.text("loss_mmod_")
	w.integers(4, 0)  // version, detector windows
	w.doubles(1, 1)   // loss per false alarm, per missed target
	w.doubles(0.5)    // overlap at which truth is met
	w.doubles(0.4, 1) // non-maximum suppression: overlap, share covered
	w.doubles(0.5, 1) // ignored boxes: the same two
	w.WriteByte(1)    // assume an image pyramid: a bare byte
	w.flags(false)    // no bounding box regression
	w.doubles(100)    // and its weight
}
