package fhir

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// read returns all lines of a stream without read errors.
func read(t require.TestingT, r io.Reader) []Line {
	var all []Line
	for line, err := range Patients(r) {
		require.NoError(t, err)
		all = append(all, line)
	}
	return all
}

func TestPatientsOfAnExport(t *testing.T) {
	t.Parallel()
	export, err := os.ReadFile("testdata/Patient.ndjson")
	require.NoError(t, err)
	all := read(t, iotest.OneByteReader(bytes.NewReader(export)))
	require.Len(t, all, 4)

	require.Equal(t, "Sumika Larue", all[0].Value.FirstName)
	require.False(t, all[0].Value.Active)
	require.Equal(t, &Address{"633 Nowhere Landing", "Emberton", "KS", "00000"}, all[0].Value.Address)
	require.Equal(t, "555-555-0145", all[1].Value.Phone)
	require.Equal(t, "unknown", all[1].Value.Address.ZipCode)
	require.Equal(t, &Contact{
		Name: "Ida Ferrowé", Relationship: "Aunt", Phone: "555-555-0147", Email: "ida@example.org",
	}, all[1].Value.EmergencyContact)
	require.Equal(t, []int{1, 2, 4, 5}, []int{all[0].Number, all[1].Number, all[2].Number, all[3].Number})
	require.Equal(t, "resourceType: not Patient", all[2].Reject)
	require.Equal(t, "birthDate: not a full date (YYYY-MM-DD)", all[3].Reject)
	require.EqualValues(t, len(export), all[3].End)
}

func TestPatientsLineEnds(t *testing.T) {
	t.Parallel()
	line := string(patientLine(t))
	for name, stream := range map[string]string{
		"LF":                line + "\n" + line + "\n",
		"no last LF":        line + "\n" + line,
		"CRLF":              line + "\r\n" + line + "\r\n",
		"blank lines":       "\n \t\r\n" + line + "\n\n\r\n" + line + "\n\n",
		"byte order mark":   "\ufeff" + line + "\n" + line,
		"mark, blank line":  "\ufeff\n" + line + "\n" + line,
		"white space about": "  " + line + " \n\t" + line + "\r",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := read(t, strings.NewReader(stream))
			require.Len(t, all, 2)
			require.NotNil(t, all[0].Value)
			require.NotNil(t, all[1].Value)
		})
	}
	all := read(t, strings.NewReader(line+"\n\ufeff"+line))
	require.Equal(t, "not valid JSON", all[1].Reject, "a mark in the middle")
	require.Empty(t, read(t, strings.NewReader("")))
	require.Empty(t, read(t, strings.NewReader("\ufeff")))
}

func TestPatientsGoesOnAfterALongLine(t *testing.T) {
	t.Parallel()
	line := string(patientLine(t))
	padded := func(size int) string { return line + strings.Repeat(" ", size-len(line)-1) + "\n" }
	stream := padded(MaxLine) + padded(MaxLine+1) + line + "\n" + padded(MaxLine + 1)[:MaxLine] + "x"
	all := read(t, strings.NewReader(stream))
	require.Len(t, all, 4)
	require.NotNil(t, all[0].Value)
	require.Equal(t, Line{Number: 2, End: 2*MaxLine + 1, Reject: "longer than 16 MiB"}, all[1])
	require.NotNil(t, all[2].Value)
	require.Equal(t, "longer than 16 MiB", all[3].Reject)
}

func TestLinesKeepNoMoreThanOne(t *testing.T) {
	t.Parallel()
	in := newLines(io.LimitReader(endless{}, 4*MaxLine))
	_, err := in.next()
	require.ErrorIs(t, err, tooLong)
	require.EqualValues(t, 4*MaxLine, in.offset)
	require.LessOrEqual(t, cap(in.buffer), 2*MaxLine)
}

// endless is a stream with one line that does not end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestPatientsHandsOnTheReadersError(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	stream := io.MultiReader(strings.NewReader(string(patientLine(t))+"\n{\"resour"), iotest.ErrReader(broken))
	var all []Line
	var last error
	for line, err := range Patients(stream) {
		all, last = append(all, line), err
	}
	require.Len(t, all, 2)
	require.ErrorIs(t, last, broken)
	require.Equal(t, 2, all[1].Number)
	require.Nil(t, all[1].Value)
}

func TestPatientsStopsWhenAsked(t *testing.T) {
	t.Parallel()
	line := string(patientLine(t)) + "\n"
	for _, err := range Patients(io.MultiReader(strings.NewReader(line), iotest.ErrReader(errors.New("read too far")))) {
		require.NoError(t, err)
		return
	}
	t.Fatal("no line")
}

// Each line is reported exactly once, in order. The last End is the end of the last line that is not blank.
func TestPatientsLosesNoLine(t *testing.T) {
	t.Parallel()
	good := string(patientLine(t))
	kinds := rapid.SliceOf(rapid.SampledFrom([]string{good, "", "{", `{"resourceType":"Group"}`, " "}))
	rapid.Check(t, func(t *rapid.T) {
		lines := kinds.Draw(t, "lines")
		end := rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(t, "end")
		all := read(t, strings.NewReader(strings.Join(lines, end)))
		var offset int64
		for i, line := range lines {
			offset += int64(len(line))
			if i < len(lines)-1 {
				offset += int64(len(end))
			}
			if strings.TrimSpace(line) == "" {
				continue
			}
			require.NotEmpty(t, all)
			require.Equal(t, i+1, all[0].Number)
			require.Equal(t, offset, all[0].End)
			require.Equal(t, line == good, all[0].Value != nil)
			require.Equal(t, line == good, all[0].Reject == "")
			all = all[1:]
		}
		require.Empty(t, all)
	})
}

func FuzzPatients(f *testing.F) {
	export, err := os.ReadFile("testdata/Patient.ndjson")
	require.NoError(f, err)
	f.Add(export)
	f.Add([]byte(`{"resourceType":"Patient","` + canary + `":1,"` + canary + `":1}`))
	f.Add([]byte(`{"resourceType":"Patient","id":"` + canary + `"}` + "\n" + canary))
	f.Add([]byte(`{"resourceType":"Patient","name":[{"family":{"` + canary + `":[]}}]}`))
	f.Add(patientLine(f, "birthDate", `"`+canary+`"`))
	f.Fuzz(func(t *testing.T, stream []byte) {
		for _, line := range read(t, bytes.NewReader(stream)) {
			if line.Value == nil {
				requireReason(t, line.Reject)
				continue
			}
			require.Empty(t, line.Reject)
			require.NotEmpty(t, line.Value.Phone+line.Value.Email)
		}
	})
}
