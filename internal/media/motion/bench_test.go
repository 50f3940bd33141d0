package motion

import (
	"testing"

	"github.com/consentry/consentry/internal/face"
)

// One frame of 1080p: its copy, its shot, and five faces forwards and backwards.
func BenchmarkFrame(b *testing.B) {
	const w, h = 1920, 1080
	tex := newTexture(5)
	pictures := [][]byte{tex.picture(w, h, 0, 0, 6), tex.picture(w, h, 9, 4, 6)}
	watcher, err := NewWatcher(w, h)
	if err != nil {
		b.Fatal(err)
	}
	follower, err := NewFollower(w, h, 4)
	if err != nil {
		b.Fatal(err)
	}
	var boxes []face.Box
	for i := range 5 {
		boxes = append(boxes, face.Box{X: 100 + 350*float64(i), Y: 300, W: 120, H: 140})
	}
	n := 0
	b.Run("See", func(b *testing.B) {
		for b.Loop() {
			s, _, err := watcher.See(pictures[n%2])
			if err != nil {
				b.Fatal(err)
			}
			follower.Push(n, s)
			n++
		}
	})
	b.Run("Follow", func(b *testing.B) {
		for b.Loop() {
			if _, err := follower.Follow(n-2, n-1, boxes); err != nil {
				b.Fatal(err)
			}
		}
	})
	if err := watcher.Close(); err != nil {
		b.Error(err)
	}
	if err := follower.Close(); err != nil {
		b.Error(err)
	}
}
