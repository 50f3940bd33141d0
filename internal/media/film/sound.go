package film

import "slices"

// copied are the codecs of sound that MP4 has a registered name for, ffmpeg writes and players play (measured with
// ffmpeg 5.1 and Chromium). Vorbis and PCM it would write in ways that few players know.
func copied() []string {
	return []string{"aac", "mp3", "mp2", "ac3", "eac3", "dts", "opus", "alac", "flac"}
}

func (p probed) audio() []Audio {
	var out []Audio
	for _, s := range p.Streams {
		if s.Type == "audio" {
			out = append(out, Audio{Stream: s.Index, Codec: s.Codec, Copy: slices.Contains(copied(), s.Codec)})
		}
	}
	return out
}
