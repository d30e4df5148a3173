package fhir

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// MaxLine is the greatest length of a line, in bytes, its end included.
const MaxLine = 16 << 20

const tooLong = reject("longer than 16 MiB")

var byteOrderMark = []byte("\ufeff")

// lines cuts a stream into lines, keeping no more than MaxLine bytes of it at a time.
type lines struct {
	source *bufio.Reader
	buffer []byte
	number int   // of the line that next returned last, counted from 1
	offset int64 // bytes of the stream up to the end of that line
}

func newLines(r io.Reader) *lines { return &lines{source: bufio.NewReaderSize(r, 64<<10)} }

// next returns the next line with its end, valid until the following call. It returns tooLong for a line over
// MaxLine, and then continues with the following line. It returns io.EOF after the last line.
func (l *lines) next() ([]byte, error) {
	l.number++
	l.buffer = l.buffer[:0]
	var size int64
	for {
		part, err := l.source.ReadSlice('\n')
		size += int64(len(part))
		l.offset += int64(len(part))
		if size <= MaxLine {
			l.buffer = append(l.buffer, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case err != nil && (!errors.Is(err, io.EOF) || size == 0):
			return nil, err
		case size > MaxLine:
			return nil, tooLong
		default:
			return l.text(), nil
		}
	}
}

// text returns the line without a byte order mark, which RFC 8259 lets a reader ignore at the start.
func (l *lines) text() []byte {
	if l.number == 1 {
		return bytes.TrimPrefix(l.buffer, byteOrderMark)
	}
	return l.buffer
}
