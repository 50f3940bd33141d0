package intake

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func among(known ...string) func(string) bool {
	return func(id string) bool { return slices.Contains(known, id) }
}

// told are subject and path of each reference.
func told(files []ReferenceFile) []string {
	var list []string
	for _, f := range files {
		list = append(list, f.Subject+" "+f.Rel)
	}
	return list
}

func TestReferences(t *testing.T) {
	for name, test := range map[string]struct {
		tree     []string
		known    func(string) bool
		want     []string
		problems []string
	}{
		"plain":                {[]string{"refs/4021.jpg", "refs/4021-2.jpg", "refs/4022/front.png", "refs/4022/b.HEIC"}, among("4021", "4022"), []string{"4021 4021-2.jpg", "4021 4021.jpg", "4022 4022/b.HEIC", "4022 4022/front.png"}, nil},
		"hyphens":              {[]string{"refs/19-204.jpg", "refs/19-204-2.jpg"}, among("19-204"), []string{"19-204 19-204-2.jpg", "19-204 19-204.jpg"}, nil},
		"two meanings":         {[]string{"refs/19-2.jpg", "refs/19-2/a.jpg", "refs/19.jpg"}, among("19", "19-2"), []string{"19 19.jpg", "19-2 19-2/a.jpg"}, []string{"refs/19-2.jpg bad-name"}},
		"names":                {[]string{"refs/Ada Byron.jpg", "refs/Ada/a.jpg", "refs/Ada/b.jpg", "refs/4021.jpg"}, among("4021"), []string{"4021 4021.jpg"}, []string{"refs/Ada bad-name", "refs/Ada Byron.jpg bad-name"}},
		"unknown":              {[]string{"refs/9.jpg", "refs/9-1.jpg", "refs/10/a.jpg"}, among("4021"), nil, []string{"refs/10 bad-name", "refs/9-1.jpg bad-name", "refs/9.jpg bad-name"}},
		"too deep":             {[]string{"refs/4021/2025/a.jpg", "refs/7B/4021.jpg"}, among("4021"), nil, []string{"refs/4021/2025/a.jpg bad-name", "refs/7B bad-name"}},
		"case counts":          {[]string{"refs/a1.jpg"}, among("A1"), nil, []string{"refs/a1.jpg bad-name"}},
		"nobody to ask":        {[]string{"refs/4021-2.jpg", "refs/4022.jpg", "refs/-1.jpg"}, nil, []string{"4021 4021-2.jpg", "4022 4022.jpg"}, []string{"refs/-1.jpg bad-name"}},
		"empty, other":         {[]string{"refs/4021.jpg=", "refs/4021.txt", "refs/.DS_Store"}, among("4021"), nil, []string{"refs/4021.jpg empty"}},
		"nothing":              {[]string{"refs/"}, among("4021"), nil, []string{"refs no-media"}},
		"link out":             {[]string{"x.jpg", "refs/4021.jpg -> ../x.jpg"}, among("4021"), nil, []string{"refs/4021.jpg outside"}},
		"a number as a suffix": {[]string{"refs/4021-12345.jpg", "refs/4021-a.jpg"}, among("4021"), nil, []string{"refs/4021-12345.jpg bad-name", "refs/4021-a.jpg bad-name"}},
		"names in other case":  {[]string{"refs/4021/a.jpg", "refs/4021/A.JPG"}, among("4021"), []string{"4021 4021/A.JPG", "4021 4021/a.jpg"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			tree(t, test.tree...)
			files, problems, err := References("refs", test.known)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, told(files)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.problems, kinds(problems)); diff != "" {
				t.Error(diff)
			}
			for _, p := range problems {
				if strings.Contains(p.Message, "Ada") || p.Kind == BadName && p.Message == "" {
					t.Errorf("message %q", p.Message)
				}
			}
		})
	}
}

func TestReferencesUnreadable(t *testing.T) {
	tree(t, "file", "gone -> none")
	for _, dir := range []string{"none", "file", "gone"} {
		var wrong *UsageError
		if _, _, err := References(dir, nil); !errors.As(err, &wrong) || !strings.Contains(wrong.Message, dir) {
			t.Errorf("%s: %v", dir, err)
		}
	}
}

func TestReferencePaths(t *testing.T) {
	for name, test := range map[string]struct {
		tree     []string
		paths    []string
		want     []string
		problems []string
	}{
		"files":            {[]string{"x/4021.jpg", "x/4021-2.jpg", "x/Ada.jpg"}, []string{"x/4021.jpg", "x/4021-2.jpg", "x/Ada.jpg", "none.jpg"}, []string{"4021 4021-2.jpg", "4021 4021.jpg"}, []string{"none.jpg missing", "x/Ada.jpg bad-name"}},
		"subject's folder": {[]string{"x/4021/front.jpg", "x/4021/4021-3.jpg"}, []string{"x/4021/"}, []string{"4021 4021/4021-3.jpg", "4021 4021/front.jpg"}, nil},
		"other folder":     {[]string{"refs/4021.jpg", "refs/4022/a.jpg"}, []string{"refs"}, []string{"4021 4021.jpg", "4022 4022/a.jpg"}, nil},
		"a year's folder":  {[]string{"2024/4021.jpg", "2024/4022/a.jpg", "2024/x.jpg"}, []string{"2024"}, nil, []string{"2024 bad-name"}},
		"of folders":       {[]string{"2024/4022/a.jpg", "2024/x.jpg"}, []string{"2024"}, nil, []string{"2024 bad-name"}},
		"folder in it":     {[]string{"4021/old/a.jpg", "4021/b.jpg"}, []string{"4021"}, []string{"4021 4021/b.jpg"}, []string{"4021/old/a.jpg bad-name"}},
		"twice":            {[]string{"4021.jpg"}, []string{"4021.jpg", "./4021.jpg"}, []string{"4021 4021.jpg"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			tree(t, test.tree...)
			files, problems, err := ReferencePaths(test.paths, among("4021", "4022", "2024"))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, told(files)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.problems, kinds(problems)); diff != "" {
				t.Error(diff)
			}
			for _, f := range files {
				if !filepath.IsAbs(f.Path) {
					t.Errorf("%s is not absolute", f.Path)
				}
			}
		})
	}
}
