package raster

// turned says whether an EXIF orientation swaps width and height.
func turned(orientation int) bool { return orientation >= 5 }

// stored gives for upright pixel (x, y) the stored pixel, in a stored picture of w × h pixels
// (EXIF 2.32 §4.6.5.1.6: what the 0th row and column of the stored picture are).
func stored(orientation, x, y, w, h int) (int, int) {
	switch orientation {
	case 2:
		return w - 1 - x, y
	case 3:
		return w - 1 - x, h - 1 - y
	case 4:
		return x, h - 1 - y
	case 5:
		return y, x
	case 6:
		return y, h - 1 - x
	case 7:
		return w - 1 - y, h - 1 - x
	case 8:
		return w - 1 - y, x
	}
	return x, y
}

// upright copies a stored picture of w × h pixels of n elements each, whose rows are stride elements
// apart, so that it stands upright. dstStride is the distance of the result's rows, in elements.
func upright[T uint8 | uint16](dst, src []T, w, h, n, stride, dstStride, orientation int) {
	uw, uh := w, h
	if turned(orientation) {
		uw, uh = h, w
	}
	for y := range uh {
		x0, y0 := stored(orientation, 0, y, w, h)
		x1, y1 := stored(orientation, 1, y, w, h)
		at, step := y0*stride+x0*n, (y1-y0)*stride+(x1-x0)*n
		out := dst[y*dstStride:]
		if n == 1 {
			for x := range uw {
				out[x] = src[at+x*step]
			}
			continue
		}
		for x := range uw {
			copy(out[x*n:x*n+n], src[at+x*step:at+x*step+n])
		}
	}
}

// turn is upright for packed pictures; orientation 1 gives src itself.
func turn[T uint8 | uint16](src []T, w, h, n, orientation int) ([]T, int, int) {
	if orientation == 1 {
		return src, w, h
	}
	uw, uh := w, h
	if turned(orientation) {
		uw, uh = h, w
	}
	dst := make([]T, uw*uh*n)
	upright(dst, src, w, h, n, w*n, uw*n, orientation)
	return dst, uw, uh
}
