package clearance

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"
)

// domain keeps a signature of this key over anything else from passing as a clearance.
const domain = "consentry clearance v1\n"

// MaxFile bounds what [Parse] looks at, in bytes: a photograph of 500 faces makes about 200 kB.
const MaxFile = 16 << 20

// Signed is a clearance as it lies in its file.
type Signed struct {
	Clearance Clearance `json:"clearance"`
	Signature Signature `json:"signature"`
}

// Signature is over the canonical form; the key's id is no more than a hint at which key to try.
type Signature struct {
	Algorithm string `json:"algorithm"` // "Ed25519"
	KeyID     string `json:"key_id"`
	Value     []byte `json:"value"` // 64 bytes, in base64
}

const algorithm = "Ed25519"

// Sign makes the content of a clearance file. It brings Issued to UTC and whole seconds, and refuses
// a clearance that [Parse] would not read.
func Sign(c Clearance, key ed25519.PrivateKey) ([]byte, error) {
	if len(key) != ed25519.PrivateKeySize {
		return nil, errors.New("signing a clearance: no key")
	}
	c.Issued = c.Issued.UTC().Truncate(time.Second)
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("signing a clearance: %w: %w", ErrFormat, err)
	}
	message, err := canonical(&c)
	if err != nil {
		return nil, fmt.Errorf("signing a clearance: %w", err)
	}
	s := Signed{Clearance: c, Signature: Signature{
		Algorithm: algorithm,
		KeyID:     KeyID(key.Public().(ed25519.PublicKey)),
		Value:     ed25519.Sign(key, message),
	}}
	out, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("signing a clearance: %w", err)
	}
	return append(out, '\n'), nil
}

// canonical is what is signed. Go's encoder writes the fields of a struct in their order, numbers
// in their shortest notation and times in RFC 3339.
func canonical(c *Clearance) ([]byte, error) {
	body, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("writing the canonical form: %w", err)
	}
	return append([]byte(domain), body...), nil
}

// Parse reads a clearance file without checking its signature. Errors wrap [ErrFormat].
func Parse(data []byte) (Signed, error) {
	var s Signed
	if len(data) > MaxFile || !utf8.Valid(data) {
		return Signed{}, fmt.Errorf("%w: larger than %d bytes or not UTF-8", ErrFormat, MaxFile)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return Signed{}, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if err := onlyReading(data, s); err != nil {
		return Signed{}, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if err := s.Clearance.validate(); err != nil {
		return Signed{}, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if s.Signature.Algorithm != algorithm || len(s.Signature.Value) != ed25519.SignatureSize || !isText(s.Signature.KeyID, false) {
		return Signed{}, fmt.Errorf("%w: not an Ed25519 signature with its key's id", ErrFormat)
	}
	return s, nil
}

// onlyReading refuses a file that another reader could understand differently: it must be, but for
// white space and the order of fields, what this package would write.
func onlyReading(data []byte, s Signed) error {
	written, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("writing it again: %w", err)
	}
	want, err := tree(written)
	if err != nil {
		return err
	}
	got, err := tree(data)
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(got, want) {
		return errors.New("a field is missing, misspelled or in another notation")
	}
	return nil
}

// tree reads any JSON with numbers as they are spelled, refusing doubled fields and anything after
// the first value.
func tree(data []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	v, err := value(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the end")
	}
	return v, nil
}

const maxDepth = 16

func value(d *json.Decoder, depth int) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, fmt.Errorf("reading it: %w", err)
	}
	if depth > maxDepth {
		return nil, errors.New("nested too deeply")
	}
	switch token {
	case json.Delim('{'):
		return object(d, depth)
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := value(d, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := d.Token()
		return list, err
	default:
		return token, nil
	}
}

func object(d *json.Decoder, depth int) (any, error) {
	fields := map[string]any{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("reading a field's name: %w", err)
		}
		key, ok := name.(string)
		if !ok {
			return nil, errors.New("a field without a name")
		}
		if _, twice := fields[key]; twice {
			return nil, errors.New("a field appears twice")
		}
		if fields[key], err = value(d, depth+1); err != nil {
			return nil, err
		}
	}
	_, err := d.Token()
	return fields, err
}

// Verify says whether this very file is cleared for the purpose under the key: nil only if so.
// Errors wrap [ErrFormat], [ErrSignature], [ErrPurpose] or [ErrFile]; any other error means that
// the file could not be read.
func Verify(file io.Reader, clearance []byte, purpose string, key ed25519.PublicKey) error {
	s, err := Parse(clearance)
	if err != nil {
		return err
	}
	if err := s.verifySignature(key); err != nil {
		return err
	}
	if s.Clearance.Purpose != purpose {
		return fmt.Errorf("%w: %s, not %s", ErrPurpose, s.Clearance.Purpose, purpose)
	}
	return s.Clearance.Derivative.verify(file)
}

func (s *Signed) verifySignature(key ed25519.PublicKey) error {
	if len(key) != ed25519.PublicKeySize {
		return fmt.Errorf("%w: no key to check it with", ErrSignature)
	}
	if id := KeyID(key); s.Signature.KeyID != id {
		return fmt.Errorf("%w: made with key %s, checked with %s", ErrSignature, s.Signature.KeyID, id)
	}
	message, err := canonical(&s.Clearance)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if !ed25519.Verify(key, message, s.Signature.Value) {
		return fmt.Errorf("%w: altered after it was signed", ErrSignature)
	}
	return nil
}

// verify reads no more than one byte beyond the size that was sealed.
func (f File) verify(r io.Reader) error {
	h := sha256.New()
	n, err := io.Copy(h, io.LimitReader(r, f.Bytes+1))
	if err != nil {
		return fmt.Errorf("reading the file to verify: %w", err)
	}
	if n > f.Bytes {
		return fmt.Errorf("%w: it is longer than %d bytes", ErrFile, f.Bytes)
	}
	if n < f.Bytes {
		return fmt.Errorf("%w: it has %d bytes, not %d", ErrFile, n, f.Bytes)
	}
	if hex.EncodeToString(h.Sum(nil)) != f.SHA256 {
		return fmt.Errorf("%w: its content has changed", ErrFile)
	}
	return nil
}

// KeyID names a public key: "ed25519:" and the first 16 bytes of its SHA-256 in hexadecimal.
func KeyID(key ed25519.PublicKey) string {
	d := sha256.Sum256(key)
	return strings.ToLower(algorithm) + ":" + hex.EncodeToString(d[:16])
}
