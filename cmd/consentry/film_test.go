package main

import (
	"strings"
	"testing"
	"time"

	"github.com/consentry/consentry/internal/media/film"
)

func TestMoments(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0": 0, "12.5": 12500 * time.Millisecond, "62s": 62 * time.Second, "1m2s": 62 * time.Second, "1:02": 62 * time.Second,
		"0:01:02.5": 62500 * time.Millisecond, "90": 90 * time.Second, "90:00": 90 * time.Minute, "2:00:00": 2 * time.Hour,
		"0.0000004": 0, ".5": 500 * time.Millisecond,
	} {
		if got, err := parseMoment(text); err != nil || got != want {
			t.Errorf("%s: %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "x", "-1", "1:60", "1:-2", "1.5:00", "1:2:3:4", "1e3", "NaN", "inf", "0x10", "9999999", "99999999h", "1:", ":"} {
		if got, err := parseMoment(text); err == nil {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestFilmFlags(t *testing.T) {
	for name, set := range map[string]func(*filmFlags){
		"--crf 52":               func(f *filmFlags) { f.CRF = 52 },
		"--crf -1":               func(f *filmFlags) { f.CRF = -1 },
		"--every 0":              func(f *filmFlags) { f.Every = 0 },
		"--every 13":             func(f *filmFlags) { f.Every = 13 },
		"--video-preset placebo": func(f *filmFlags) { f.VideoPreset = "placebo" },
		"--from soon":            func(f *filmFlags) { f.From = "soon" },
		"--to never":             func(f *filmFlags) { f.To = "never" },
		"--to 0:30":              func(f *filmFlags) { f.From, f.To = "30", "0:30" },
	} {
		f := defaultFilmFlags()
		set(&f)
		if _, err := f.options(); err == nil || !strings.HasPrefix(err.Error(), name+":") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, f := range map[string]filmFlags{"defaults": defaultFilmFlags(), "none, as an earlier version kept it": {}} {
		o, err := f.options()
		if err != nil || o.Encoding != film.DefaultEncoding() || o.Every != defaultEvery || !o.Part.Whole() {
			t.Errorf("%s: %+v, %v", name, o, err)
		}
	}
	f := defaultFilmFlags()
	f.From, f.To, f.Audio, f.VideoCodec = "1", "1:00", "mute", "hevc"
	want := film.Part{From: time.Second, To: time.Minute}
	if o, err := f.options(); err != nil || o.Part != want || !o.Encoding.Mute || o.Encoding.Codec != "hevc" {
		t.Errorf("%+v, %v", o, err)
	}
	if checkPreset("veryfast") == nil || checkPreset("lumen") != nil {
		t.Error("an encoder's preset is taken for a policy, or the other way round")
	}
}
