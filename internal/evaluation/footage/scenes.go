package footage

import (
	"fmt"
	"math"
	"slices"
)

// The kinds of films.
const (
	Pan     = "pan"     // whole photographs pass slowly, held by hand
	Zoom    = "zoom"    // from faces of 25 pixels to large ones, and back fast
	Roll    = "roll"    // a photograph rocks by 40° each way
	Hands   = "hands"   // hands and a pillar cross faces
	Whip    = "whip"    // the camera is thrown from one group to another
	Cuts    = "cuts"    // shots of 4 to 16 frames
	Edges   = "edges"   // heads enter and leave, slowly, running, and just before a cut
	Crowd   = "crowd"   // a dozen heads cross each other
	Flash   = "flash"   // flashes and a strobe
	Dark    = "dark"    // little light, much noise
	Small   = "small"   // faces of 20 to 40 pixels
	Turn    = "turn"    // faces turned away and back, like cards
	Blurred = "blurred" // faces go out of focus and back
	Dance   = "dance"   // heads swing fast
	Play    = "play"    // some of everything
	Reunion = "reunion" // the same people in several shots; not among the [Kinds] that are made for following
)

// Kinds lists the kinds of films in the order of the tables.
func Kinds() []string {
	return []string{Pan, Zoom, Roll, Hands, Whip, Cuts, Edges, Crowd, Flash, Dark, Small, Turn, Blurred, Dance, Play}
}

// Films makes the films of all kinds of a cast with at least two groups and four heads. Nothing is drawn before they are rendered.
func Films(c *Cast, seed uint64) []Film {
	films := []Film{
		pan(c, seed), zoom(c, seed), roll(c, seed), hands(c, seed), whip(c, seed), cuts(c, seed), edges(c, seed), crowd(c, seed),
		flash(c, seed), dark(c, seed), small(c, seed), turn(c, seed), blurred(c, seed),
		dance(c, 0, 25, 60, seed), dance(c, 1, 50, 90, seed), play(c, 0, seed), play(c, 1, seed),
	}
	return films
}

// of is one of the groups, whatever their number.
func (s *stage) of(n int) Still { return s.cast.Groups[n%len(s.cast.Groups)] }

func pan(c *Cast, seed uint64) Film {
	s := newStage(c, Pan, 0, 1280, 720, 25, seed)
	s.shot(50, s.swaying(s.group(s.of(2), true, view{0, 0.42, 0.4, 1.3, 0}, view{50, 0.62, 0.38, 1.3, 0.05}), 6))
	s.shot(40, s.swaying(s.group(s.of(4), true, view{0, 0.6, 0.3, 1.5, -0.05}, view{40, 0.42, 0.6, 1.4, 0}), 6))
	return s.film
}

func zoom(c *Cast, seed uint64) Film {
	s := newStage(c, Zoom, 0, 960, 540, 30, seed)
	s.shot(80, s.backdrop(), s.group(s.of(5), true,
		view{0, 0.5, 0.4, 0.18, 0}, view{50, 0.5, 0.3, 1.6, 0}, view{60, 0.5, 0.3, 1.6, 0}, view{72, 0.5, 0.4, 0.25, 0}))
	return s.film
}

func roll(c *Cast, seed uint64) Film {
	s := newStage(c, Roll, 0, 960, 540, 25, seed)
	l := s.group(s.of(3), true, view{0, 0.5, 0.3, 1.1, 0})
	l.Path = Sway(l.Path, 15, 10, 40*math.Pi/180, 44)
	s.shot(70, s.backdrop(), l)
	return s.film
}

func hands(c *Cast, seed uint64) Film {
	s := newStage(c, Hands, 0, 1280, 720, 25, seed)
	s.shot(90,
		s.backdrop(),
		s.swaying(s.walk(s.next(), true, place{0, 0.2, 0.45, 150, 0}, place{90, 0.24, 0.4, 150, 0.1}), 6),
		s.swaying(s.walk(s.next(), true, place{0, 0.5, 0.4, 120, 0}, place{90, 0.46, 0.45, 130, 0}), 6),
		s.swaying(s.walk(s.next(), true, place{0, 0.78, 0.42, 90, -0.1}, place{90, 0.8, 0.42, 90, 0.2}), 6),
		s.wave(true, place{10, 0.2, 1.7, 260, 0}, place{22, 0.21, 0.5, 260, 0.1}, place{38, 0.22, 0.48, 260, 0}, place{50, 0.25, 1.7, 260, 0}),
		s.wave(false, place{30, -0.3, 0.45, 300, 0.3}, place{52, 1.3, 0.45, 300, 0.1}),
		s.wave(false, place{62, 1.2, 0.5, 220, -0.4}, place{70, -0.3, 0.5, 220, -0.2}),
		Layer{Picture: pillar(s.rand, 110, 900), Path: Through(false,
			Key{40, Pose{X: -100, Y: 360, Scale: 1}}, Key{85, Pose{X: 1400, Y: 360, Scale: 1}})},
	)
	return s.film
}

// whip throws the camera between two photographs that hang beside each other. Within six frames it moves by a picture's width.
func whip(c *Cast, seed uint64) Film {
	s := newStage(c, Whip, 0, 1280, 720, 25, seed)
	left := s.group(s.of(0), false, view{0, 0.5, 0.35, 1, 0})
	right := s.group(s.of(2), false, view{0, 0.5, 0.35, 1, 0})
	at := right.Path(0)
	at.X += 1300
	right.Path = still(at)
	frame := Pose{X: 640, Y: 360, Scale: 1}
	away := frame
	away.X -= 1300
	halfway := frame
	halfway.X -= 500
	wall := s.backdrop()
	wide := wall.Path(0)
	wide.Scale, wide.X = 6, 1300
	wall.Path = still(wide)
	shot := s.shot(75, wall, left, right)
	shot.Camera = Sway(Through(true, Key{14, frame}, Key{20, away}, Key{34, away}, Key{42, frame}, Key{54, frame}, Key{60, halfway}, Key{66, frame}), 3, 2, 0, 21)
	return s.film
}

// cuts is edited fast. The same heads come back in other shots.
func cuts(c *Cast, seed uint64) Film {
	s := newStage(c, Cuts, 0, 1280, 720, 25, seed)
	a, b := s.next(), s.next()
	s.shot(16, s.swaying(s.group(s.of(2), false, view{0, 0.5, 0.35, 1.2, 0}), 5))
	s.shot(7, s.backdrop(), s.walk(a, false, place{0, 0.4, 0.5, 200, 0}, place{7, 0.5, 0.5, 200, 0}))
	s.shot(4, s.backdrop(), s.walk(b, false, place{0, 0.6, 0.5, 120, 0.2}))
	s.shot(12, s.swaying(s.group(s.of(4), false, view{0, 0.5, 0.4, 1.2, 0}), 5))
	s.shot(5, s.backdrop(), s.walk(a, false, place{0, 0.6, 0.4, 60, -0.2}), s.walk(b, false, place{0, 0.25, 0.5, 90, 0}))
	s.shot(9, s.swaying(s.group(s.of(5), false, view{0, 0.4, 0.3, 1.5, 0}), 5))
	s.shot(2, s.backdrop(), s.walk(b, false, place{0, 0.3, 0.4, 150, 0}))
	s.shot(15, s.backdrop(), s.walk(a, false, place{0, 0.3, 0.5, 100, 0}, place{15, 0.7, 0.5, 140, 0.3}))
	return s.film
}

func edges(c *Cast, seed uint64) Film {
	s := newStage(c, Edges, 0, 960, 540, 25, seed)
	s.shot(50, s.backdrop(), // slowly in from the left and out at the top; up from below and away
		s.walk(s.next(), false, place{0, -0.15, 0.4, 110, 0}, place{25, 0.25, 0.5, 110, 0.1}, place{50, 0.3, -0.3, 110, 0}),
		s.walk(s.next(), true, place{8, 0.7, 1.3, 140, 0}, place{20, 0.7, 0.6, 140, 0}, place{30, 0.72, 0.6, 140, 0}, place{46, 1.2, 0.6, 140, 0.3}))
	s.shot(40, s.backdrop(), // running through
		s.walk(s.next(), false, place{4, -0.15, 0.45, 120, 0}, place{16, 1.15, 0.5, 120, 0}),
		s.walk(s.next(), false, place{20, 1.12, 0.4, 80, 0}, place{38, -0.12, 0.5, 80, 0.2}))
	s.shot(14, s.backdrop(), s.walk(s.next(), false, place{9, 1.15, 0.45, 130, 0}, place{14, 0.7, 0.5, 130, 0})) // in just before the cut
	s.shot(16, s.backdrop(), s.walk(s.next(), false, place{0, 0.4, 0.5, 100, 0}, place{6, -0.2, 0.5, 100, 0}))   // out just after it
	return s.film
}

func crowd(c *Cast, seed uint64) Film {
	s := newStage(c, Crowd, 0, 1280, 720, 25, seed)
	layers := []Layer{s.backdrop()}
	for i := range min(12, len(s.heads)) {
		depth := float64(i) / 11 // those in front are larger
		from, to := -0.1+0.6*s.rand.Float64(), 0.5+0.6*s.rand.Float64()
		if i%2 == 1 {
			from, to = to, from
		}
		y, size := 0.3+0.35*depth, 35+75*depth
		layers = append(layers, s.swaying(s.walk(s.next(), false, place{0, from, y, size, 0}, place{80, to, y + 0.05, size * 1.1, 0.1}), 5))
	}
	s.shot(75, layers...)
	return s.film
}

// standing are heads that hardly move, of a size in pixels and up to 60 more.
func (s *stage) standing(n int, size float64) []Layer {
	layers := []Layer{s.backdrop()}
	for i := range n {
		x := (float64(i) + 0.5) / float64(n)
		y := 0.4 + 0.2*s.rand.Float64()
		px := size + 60*s.rand.Float64()
		angle := 0.3 * (s.rand.Float64() - 0.5)
		layers = append(layers, s.swaying(s.walk(s.next(), true, place{0, x - 0.03, y, px, 0}, place{60, x + 0.03, y, px, angle}), 6))
	}
	return layers
}

func flash(c *Cast, seed uint64) Film {
	s := newStage(c, Flash, 0, 960, 540, 25, seed)
	s.shot(60, s.standing(4, 70)...).Light = func(t float64) Exposure {
		e := Exposure{Gain: 0.8, Noise: 2}
		switch n := int(t); {
		case n == 0 || n == 12 || n == 27:
			e.Flash = 200
		case n == 13 || n == 28:
			e.Flash = 110
		case n >= 38 && n < 56 && n%3 == 0: // a strobe
			e.Gain, e.Flash = 1.3, 90
		case n >= 38 && n < 56:
			e.Gain = 0.25
		}
		return e
	}
	return s.film
}

func dark(c *Cast, seed uint64) Film {
	s := newStage(c, Dark, 0, 960, 540, 25, seed)
	dim := func(gain, noise float64) Light {
		return func(t float64) Exposure { return Exposure{Gain: gain * (1 + 0.2*math.Sin(t/7)), Noise: noise} }
	}
	s.shot(35, s.standing(4, 60)...).Light = dim(0.3, 8)
	s.shot(25, s.swaying(s.group(s.of(4), true, view{0, 0.5, 0.4, 1, 0}, view{25, 0.55, 0.4, 1.2, 0}), 5)).Light = dim(0.2, 5)
	return s.film
}

func small(c *Cast, seed uint64) Film {
	s := newStage(c, Small, 0, 1280, 720, 30, seed)
	layers := []Layer{s.backdrop()}
	for i := range min(10, len(s.heads)) {
		x, y := (float64(i)+0.5)/10, 0.25+0.5*s.rand.Float64()
		size := 20 + 20*float64(i)/9
		layers = append(layers, s.swaying(s.walk(s.next(), false, place{0, x, y, size, 0}, place{60, x + 0.08*(s.rand.Float64()-0.5), y, size, 0}), 4))
	}
	s.shot(60, layers...)
	return s.film
}

func turn(c *Cast, seed uint64) Film {
	s := newStage(c, Turn, 0, 960, 540, 25, seed)
	layers := s.standing(4, 80)
	for i := range layers[1:] {
		layers[1+i].Path = Nod(layers[1+i].Path, 0.45, 40+10*float64(i))
	}
	s.shot(75, layers...)
	return s.film
}

func blurred(c *Cast, seed uint64) Film {
	s := newStage(c, Blurred, 0, 960, 540, 25, seed)
	layers := s.standing(3, 90)
	for i := range layers[1:] {
		layers[1+i].Defocus = func(t float64) float64 { return 14 * math.Max(0, math.Sin(2*math.Pi*(t/60-0.15*float64(i)))) }
	}
	s.shot(60, layers...)
	return s.film
}

// dance has heads that swing by a fifth of the frame's width, as far in a second at every rate.
func dance(c *Cast, n int, rate float64, frames int, seed uint64) Film {
	s := newStage(c, Dance, n, 960, 540, rate, seed)
	layers := []Layer{s.backdrop()}
	for i := range 3 {
		l := s.walk(s.next(), true, place{0, 0.2 + 0.3*float64(i), 0.5, 80 + 20*float64(i), 0})
		l.Path = Sway(l.Path, 0.16*960, 0.08*540, 0.45*(1-2*float64(i%2)), rate*(0.7+0.2*float64(i)))
		layers = append(layers, l)
	}
	s.film.Name = "dance at " + map[bool]string{true: "50", false: "25"}[rate == 50]
	s.shot(frames, layers...)
	return s.film
}

// play is an evening on the stage: dim light, people who come and go, hands, a pan, cuts, and the same people in several shots.
func play(c *Cast, n int, seed uint64) Film {
	s := newStage(c, Play, n, 1280, 720, 25, seed)
	a, b, d, e, g := s.next(), s.next(), s.next(), s.next(), s.next()
	evening := func(t float64) Exposure { return Exposure{Gain: 0.7 + 0.1*math.Sin(t/9), Noise: 4} }
	s.shot(40, s.backdrop(),
		s.swaying(s.walk(g, true, place{0, 0.8, 0.3, 50, 0}, place{40, 0.7, 0.3, 50, 0}), 5),
		s.swaying(s.walk(a, true, place{0, 0.3, 0.45, 90, 0}, place{40, 0.4, 0.45, 100, 0.1}), 8),
		s.walk(b, false, place{10, 1.1, 0.5, 110, 0}, place{35, 0.6, 0.5, 120, 0}),
		s.wave(true, place{18, 0.4, 1.7, 200, 0}, place{25, 0.37, 0.5, 200, 0}, place{30, 0.4, 0.5, 200, 0}, place{36, 0.5, 1.7, 200, 0})).Light = evening
	wide := s.shot(30, s.backdrop(),
		s.swaying(s.walk(g, true, place{0, 0.5, 0.35, 70, 0}), 5),
		s.walk(d, true, place{0, 0.2, 0.5, 130, -0.2}, place{30, 0.25, 0.45, 140, 0.2}),
		s.swaying(s.walk(e, true, place{0, 0.75, 0.4, 100, 0}, place{30, 0.7, 0.45, 100, 0}), 10))
	wide.Light = evening
	wide.Camera = Through(true, Key{8, Pose{X: 640, Y: 360, Scale: 1}}, Key{16, Pose{X: 500, Y: 370, Scale: 1.2, Angle: 0.1}}, Key{24, Pose{X: 760, Y: 360, Scale: 1.1}})
	s.shot(20, s.backdrop(),
		s.walk(a, false, place{3, -0.1, 0.35, 80, 0}, place{18, 1.05, 0.35, 80, 0}),
		s.walk(b, true, place{0, 0.35, 0.5, 220, 0.1}, place{20, 0.45, 0.5, 240, -0.1})).Light = evening
	if n > 0 {
		s.film.Name = "play, another cast"
	}
	return s.film
}

// Reunions are films of several shots each, in which people come back in other shots and, as far as the cast has any, from other
// photographs. They are made for matching: faces are of middling size, and nothing is hard to follow.
func Reunions(c *Cast, films int, seed uint64) []Film {
	var several, once [][]Still
	for _, p := range c.persons() {
		if len(p) > 1 {
			several = append(several, p)
		} else {
			once = append(once, p)
		}
	}
	all := slices.Concat(several, once)
	made := make([]Film, films)
	for i := range made {
		made[i] = reunion(c, i, all, len(several), seed)
	}
	return made
}

// persons are the heads of each person, in the order in which they were added.
func (c *Cast) persons() [][]Still {
	at := map[string]int{}
	var all [][]Still
	for _, h := range c.Heads {
		p := h.Marks[0].Person
		if _, ok := at[p]; !ok {
			at[p] = len(all)
			all = append(all, nil)
		}
		all[at[p]] = append(all[at[p]], h)
	}
	return all
}

// reunion has two people who are in every shot, and two in each who are in one only.
func reunion(c *Cast, n int, persons [][]Still, several int, seed uint64) Film {
	s := newStage(c, Reunion, n, 1280, 720, 25, seed)
	s.film.Name = fmt.Sprint(Reunion, " ", n+1)
	stars, extras := persons[:max(2, several)], persons[max(2, several):]
	if len(extras) == 0 {
		extras = stars
	}
	for k := range 3 {
		on := []Still{}
		for i := range 2 {
			star := stars[(2*n+i)%len(stars)]
			on = append(on, star[k%len(star)])
		}
		for i := range 2 {
			extra := extras[(6*n+2*k+i)%len(extras)]
			on = append(on, extra[0])
		}
		s.shot(25, s.company(on)...)
	}
	return s.film
}

// company are heads beside each other, in an order by chance, with a hand that passes.
func (s *stage) company(heads []Still) []Layer {
	layers := []Layer{s.backdrop()}
	for i, j := range s.rand.Perm(len(heads)) {
		x := (float64(i) + 0.5) / float64(len(heads))
		y, size, angle := 0.35+0.15*s.rand.Float64(), 80+60*s.rand.Float64(), 0.3*(s.rand.Float64()-0.5)
		layers = append(layers, s.swaying(s.walk(heads[j], true, place{0, x - 0.03, y, size, 0}, place{25, x + 0.03, y, size, angle}), 8))
	}
	return append(layers, s.wave(false, place{5, -0.3, 0.5, 180, 0.2}, place{22, 1.3, 0.5, 180, 0.2}))
}

// Short makes three small films of two seconds for a test: a photograph that pans and turns; heads that enter, are crossed by a hand and
// leave, and a cut; heads that swing.
func Short(c *Cast, seed uint64) []Film {
	a := newStage(c, Pan, 9, 480, 270, 25, seed)
	l := a.group(a.of(2), true, view{0, 0.45, 0.38, 1.2, 0}, view{50, 0.6, 0.36, 1.3, 0})
	l.Path = Sway(l.Path, 4, 3, 0.25, 40)
	a.shot(50, a.backdrop(), l)
	b := newStage(c, Hands, 9, 480, 270, 25, seed)
	b.shot(32, b.backdrop(),
		b.swaying(b.walk(b.next(), true, place{0, 0.3, 0.45, 70, 0}, place{32, 0.34, 0.45, 70, 0.1}), 3),
		b.walk(b.next(), false, place{2, 1.12, 0.45, 60, 0}, place{26, 0.65, 0.45, 60, 0}),
		b.wave(false, place{4, -0.3, 0.45, 110, 0.2}, place{18, 0.9, 0.45, 110, 0}, place{22, 1.4, 0.45, 110, 0}))
	b.shot(18, b.backdrop(), b.walk(b.next(), false, place{0, 0.4, 0.5, 80, 0}, place{18, 0.75, 0.5, 80, 0.2}))
	d := newStage(c, Dance, 9, 480, 270, 25, seed)
	layers := []Layer{d.backdrop()}
	for i := range 2 {
		l := d.walk(d.next(), true, place{0, 0.3 + 0.4*float64(i), 0.5, 60, 0})
		l.Path = Sway(l.Path, 40, 15, 0.3, 22+6*float64(i))
		layers = append(layers, l)
	}
	d.shot(50, layers...)
	return []Film{a.film, b.film, d.film}
}
