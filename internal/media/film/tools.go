package film

import (
	"fmt"
	"os/exec"
	"path/filepath"
)

// Tools are the programs that do the work. It is safe for use by several goroutines.
type Tools struct{ FFmpeg, FFprobe string }

// FindTools looks for ffmpeg and ffprobe on the path. The error wraps ErrNoFFmpeg.
func FindTools() (Tools, error) {
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		return Tools{}, fmt.Errorf("looking for ffmpeg: %w", ErrNoFFmpeg)
	}
	ffprobe, err := exec.LookPath("ffprobe")
	if err != nil {
		return Tools{}, fmt.Errorf("looking for ffprobe: %w", ErrNoFFmpeg)
	}
	return Tools{FFmpeg: ffmpeg, FFprobe: ffprobe}, nil
}

// demuxers are ffmpeg's names for the containers of [Recognise].
func demuxer(container string) string {
	if container == containerMP4 {
		return "mov"
	}
	return container
}

// guards keep ffmpeg from following a file to anywhere else: local files only, of known containers only.
func guards() []string {
	return []string{
		"-protocol_whitelist", "file,pipe",
		"-format_whitelist", "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,avi,gif",
	}
}

// input names a file to ffmpeg. The container is forced, so that ffmpeg cannot take the file for something else,
// and the path is absolute with its protocol, so that no path is taken for an option or another protocol.
func input(container, path string) ([]string, error) {
	url, err := fileURL(path)
	if err != nil {
		return nil, err
	}
	return append(guards(), "-f", demuxer(container), "-i", url), nil
}

func fileURL(path string) (string, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("finding the working folder: %w", err)
	}
	return "file:" + absolute, nil
}

// quiet is how every ffmpeg starts: errors only, each as often as it happens, and no reading of commands from the standard input.
func quiet() []string { return []string{"-v", "repeat+error", "-nostdin", "-hide_banner"} }

// stripped are the arguments that leave nothing in a file but pictures and sound (measured on ffmpeg 5.1: without
// them title, position, chapters and the encoder's name stay, and the language of each stream).
func stripped() []string {
	return []string{
		"-sn", "-dn", "-map_metadata", "-1", "-map_metadata:s", "-1", "-map_chapters", "-1",
		"-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact",
	}
}
