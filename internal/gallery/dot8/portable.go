//go:build !cgo

package dot8

// Supported says whether this processor can run the kernel.
func Supported(k Kernel) bool { return k == Portable }

func scan(_ Kernel, rows []uint8, groups int, probes []int8, limits []int32, hits []Hit) int {
	n := 0
	for g := range groups {
		group := rows[g*Group : (g+1)*Group]
		for p, limit := range limits {
			sums := sumGroup(group, probes[p*Long:(p+1)*Long])
			for lane, sum := range sums {
				if sum >= limit {
					hits[n] = Hit{Row: uint32(g*Rows + lane), Probe: uint32(p), Sum: sum}
					n++
				}
			}
		}
	}
	return n
}

func sumGroup(group []uint8, probe []int8) (sums [Rows]int32) {
	for k := 0; k < Long; k += 4 {
		a, b, c, d := int32(probe[k]), int32(probe[k+1]), int32(probe[k+2]), int32(probe[k+3])
		for lane := range sums {
			r := group[k*Rows+4*lane:][:4]
			sums[lane] += int32(r[0])*a + int32(r[1])*b + int32(r[2])*c + int32(r[3])*d
		}
	}
	return sums
}

func pick(_ Kernel, rows []uint8, probes []int8, hits []Hit) {
	for i := range hits {
		a, b := rows[int(hits[i].Row)*Short:][:Short], probes[int(hits[i].Probe)*Short:][:Short]
		var sum int32
		for j, x := range a {
			sum += int32(x) * int32(b[j])
		}
		hits[i].Picked = sum
	}
}
