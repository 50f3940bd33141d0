package gallery

import (
	"math"

	"github.com/consentry/consentry/internal/face"
)

// Pool is what several views of one face say together: of each describer the mean of its templates,
// weighted by how good the views are. MobileFaceNet's, which are compared by angle, are brought back to unit length;
// dlib's, which are compared by distance, are not. A template that cannot be used takes no part, and a describer
// whose views have nothing in common is left out. Without any the result is empty: not described.
//
// Measured on 34 portraits of young women of one origin, each two of one woman pooled and compared with all others: the median of
// genuine pairs rises from 4.28 to 4.61, and to 5.25 where both sides are pooled; of strangers the best in a hundred stays where it was
// (4.20, 4.29 and 4.22), and none of 1,029 and of 399 reaches a confident match's 5.0.
func Pool(views []face.Face) face.Templates {
	pooled := face.Templates{}
	for d, length := range map[face.Describer]int{face.DlibResNet: dlibLength, face.MobileFaceNet: mobileLength} {
		if v := pool(d, length, views); usable(d, v) {
			pooled[d] = v
		}
	}
	return pooled
}

func pool(d face.Describer, length int, views []face.Face) []float32 {
	sum := make([]float64, length)
	var total, squared float64
	for _, f := range views {
		v := f.Templates[d]
		if !usable(d, v) {
			continue
		}
		w := viewWeight(f)
		total += w
		for i, x := range v {
			sum[i] += w * float64(x)
		}
	}
	if d == face.MobileFaceNet {
		for _, x := range sum {
			squared += x * x
		}
		if squared < leastAgreement*leastAgreement*total*total {
			return nil
		}
		total = math.Sqrt(squared)
	}
	mean := make([]float32, length)
	for i, x := range sum {
		mean[i] = float32(x / total) // without views 0/0, which is not usable
	}
	return mean
}

// leastAgreement is the length of a mean of unit vectors below which they have nothing in common. That of n
// strangers is √(1/n), so of ten 0.32; that of two photographs of one person
// at the limit of Unsure (a cosine of 0.38) is 0.83.
const leastAgreement = 0.3

// What a view must be like to count in full, as for a good reference (enrolment): 112 pixels are what
// the describer looks at, blurred until it is less sharp than 50 a face still scores 9 with itself, and turned by up to 0.35
// portraits match like frontal ones. At a yaw of 0.8 three-quarter views begin, which are taken for anybody.
const (
	fullSize  = 112.0
	fullSharp = 50.0
	fullYaw   = 0.35
	noYaw     = 0.8
	// leastWeight is what the worst view counts: it may be the only one.
	leastWeight = 0.05
)

// viewWeight is how much a view counts, leastWeight to 1. What is not a number counts least.
func viewWeight(f face.Face) float64 {
	size := min(1, f.Box.Size()/fullSize)
	sharp := min(1, f.Quality.Sharpness/fullSharp)
	front := min(1, (noYaw-math.Abs(f.Quality.Yaw))/(noYaw-fullYaw))
	if w := size * sharp * front; w > leastWeight && size > 0 && sharp > 0 && front > 0 {
		return w
	}
	return leastWeight
}
