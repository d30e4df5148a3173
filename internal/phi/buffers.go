package phi

import "sync"

// buffers is the working memory of sealing and opening. It never holds plain text.
type buffers struct {
	sealed         []byte
	associatedData []byte
}

// maxPooled is the largest buffer that is kept: one long note must not occupy its memory for good.
const maxPooled = 16 << 10

var bufferPool = sync.Pool{New: func() any { return new(buffers) }}

func takeBuffers() *buffers {
	return bufferPool.Get().(*buffers) //nolint:forcetypeassert // only put below
}

func (b *buffers) release() {
	if cap(b.sealed) > maxPooled {
		return
	}
	b.sealed, b.associatedData = b.sealed[:0], b.associatedData[:0]
	bufferPool.Put(b)
}
