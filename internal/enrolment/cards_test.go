package enrolment

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
)

func TestCards(t *testing.T) {
	one, two, three, alone, old := enrolledOf(shot{"1", 1, 1}, "aa"), enrolledOf(shot{"1", 1, 2}, "aa"), enrolledOf(shot{"2", 1, 3}, "aa"),
		enrolledOf(shot{"3", 3, 4}, "aa"), enrolledOf(shot{"4", 4, 5}, "bb")
	one.Taken, two.Quality = "2022-01-01", face.Quality{Sharpness: 25, Brightness: 100}
	two.Taken, two.Added = "", "2025-08-20"
	three.Taken, three.Quality = "2024-06-01", face.Quality{Sharpness: 25, Brightness: 100}
	alone.Taken = "2021-08-01"
	all := []Enrolled{one, two, three, alone, old}
	g := newGallery(t, shot{"1", 1, 1}, shot{"1", 1, 2}, shot{"2", 1, 3}, shot{"3", 3, 4})
	cards := Cards(all, g, modelsDigest("aa"), today, 0)
	for i := range cards {
		if (cards[i].NearestScore != 0) != (cards[i].Nearest != "") {
			t.Errorf("%+v", cards[i])
		}
		cards[i].Lowest, cards[i].NearestScore = 0, 0
	}
	want := []Card{
		{
			Subject: "1", References: 2, Quality: "good", Newest: "2025-08-20", Age: "a month",
			Agreement: "agree well", Nearest: "2", Distance: "hard to tell apart",
		},
		{
			Subject: "2", References: 1, Quality: "fair", Newest: "2024-06-01", Age: "15 months", Old: true,
			Agreement: "only one reference", Nearest: "1", Distance: "hard to tell apart",
		},
		{
			Subject: "3", References: 1, Quality: "good", Newest: "2021-08-01", Age: "4 years", Old: true,
			Agreement: "only one reference", Nearest: "1", Distance: "not alike",
		},
		{Subject: "4", Again: 1},
	}
	if diff := cmp.Diff(want, cards); diff != "" {
		t.Error(diff)
	}
	if lonely := Cards([]Enrolled{alone}, newGallery(t, shot{"3", 3, 4}), modelsDigest("aa"), today, 0); lonely[0].Distance != "nobody else is enrolled" {
		t.Errorf("%+v", lonely)
	}
}

func TestAgeInWords(t *testing.T) {
	for day, want := range map[consent.Date]string{
		"2025-09-01": "this month", "2025-08-01": "a month", "2024-08-31": "13 months", "2023-08-31": "2 years", "": "unknown",
	} {
		if got := ageInWords(day, today); got != want {
			t.Errorf("%s: %s, want %s", day, got, want)
		}
	}
}
