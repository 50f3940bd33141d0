//go:build !cgo

package dot8

import "math"

// Supported says whether this processor can run the kernel.
func Supported(k Kernel) bool { return k == Portable }

func scan(_ Kernel, g Gallery, p Probes, hits []Hit) int {
	n := 0
	for group := range g.Groups() {
		part := g.Part(group, group+1)
		for i, limit := range p.Limits {
			longs := sumGroup(part.Longs, p.Longs[i*Long:(i+1)*Long])
			shorts := sumGroup(part.Shorts, p.Shorts[i*Short:(i+1)*Short])
			for lane, long := range longs {
				if limit.passes(long, shorts[lane], part.Squares[lane]) {
					hits[n] = Hit{Row: uint32(group*Rows + lane), Probe: uint32(i), Long: long, Short: shorts[lane]}
					n++
				}
			}
		}
	}
	return n
}

// passes converts each product to what it is: that keeps the compiler from fusing it with a sum.
func (l Limit) passes(long, short int32, square float32) bool {
	under := max(0, l.Base+square-float32(l.PerShort*float32(short)))
	root := float32(math.Sqrt(float64(under)))
	return long >= l.Least && float32(l.PerLong*float32(long))-float32(l.PerRoot*root) >= l.Low
}

func sumGroup(group []uint8, probe []int8) (sums [Rows]int32) {
	for k := 0; k < len(probe); k += 4 {
		a, b, c, d := int32(probe[k]), int32(probe[k+1]), int32(probe[k+2]), int32(probe[k+3])
		for lane := range sums {
			r := group[k*Rows+4*lane:][:4]
			sums[lane] += int32(r[0])*a + int32(r[1])*b + int32(r[2])*c + int32(r[3])*d
		}
	}
	return sums
}
