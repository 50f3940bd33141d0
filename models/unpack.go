package models

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
)

// maxUnpacked bounds what a package may unpack to, so that a bomb ends. The larger one of the two
// packages has 60 MB.
const maxUnpacked = 1 << 30

// errTooLong is what a reader says that has given all it may.
var errTooLong = fmt.Errorf("unpacks to more than %d bytes", maxUnpacked)

// unpack reads an npm tarball up to the last wanted file, writes those into temp and nothing
// else. Links and folders are passed over, names in the tarball are only compared.
func (p *puller) unpack(ctx context.Context, tarball io.Reader, wanted []source) error {
	zip, err := gzip.NewReader(cancellable{ctx, tarball})
	if err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	files := tar.NewReader(&limited{zip, maxUnpacked})
	for len(wanted) > 0 {
		head, err := files.Next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("it has no file %s", wanted[0].Path)
		}
		if err != nil {
			return fmt.Errorf("unpack: %w", err)
		}
		i := slices.IndexFunc(wanted, func(s source) bool { return s.Path == inPackage(head.Name) })
		if i < 0 || head.Typeflag != tar.TypeReg {
			continue
		}
		if err := p.keep(ctx, files, wanted[i]); err != nil {
			return err
		}
		wanted = slices.Delete(wanted, i, i+1)
	}
	return nil
}

// inPackage drops the folder that npm puts around everything ("package/", in a few old packages
// another).
func inPackage(name string) string {
	_, rest, _ := strings.Cut(path.Clean(name), "/")
	return rest
}

// limited gives at most left bytes and then an error, not the end of the file.
type limited struct {
	r    io.Reader
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, errTooLong
	}
	if int64(len(p)) > l.left {
		p = p[:l.left]
	}
	n, err := l.r.Read(p)
	l.left -= int64(n)
	return n, err
}
