package intake

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// ErrNoOriginal says that an input is not where it was, or is not what it was.
var ErrNoOriginal = errors.New("the photograph is not where it was when the run was done, or has changed")

// Original reads the input that a run over the paths called rel, if it still has the digest
// (SHA-256, hexadecimal) and at most limit bytes.
func Original(ctx context.Context, paths []string, out string, opts Options, rel, digest string, limit int64) ([]byte, error) {
	batch, err := Scan(ctx, paths, out, opts)
	if err != nil {
		return nil, err
	}
	for _, file := range batch.Files {
		if file.Rel != rel || file.Size > limit {
			continue
		}
		data, err := readAll(file, limit)
		if err != nil {
			return nil, err
		}
		if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) == digest {
			return data, nil
		}
	}
	return nil, ErrNoOriginal
}

func readAll(file File, limit int64) ([]byte, error) {
	f, err := file.Open()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoOriginal, err)
	}
	defer f.Close()
	var data bytes.Buffer
	if _, err := io.Copy(&data, io.LimitReader(f, limit)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoOriginal, err)
	}
	return data.Bytes(), nil
}
