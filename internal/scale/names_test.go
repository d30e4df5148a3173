package scale

import (
	"bufio"
	"cmp"
	"embed"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
)

// The lists are the most common names of the US census of 1990 ("Frequently Occurring Surnames", "Frequently
// Occurring Given Names"; US Census Bureau, public domain), with their bearers per 100,000 people. Rarer names are
// made up, with the census's frequencies. A knot is a rank, with the share of people that have a name up to that
// rank, in percent. The census gives no names for the last tenth; that tenth is spread over as many names again.
//
//go:embed testdata/*.txt
var lists embed.FS

type knot struct {
	rank       int
	cumulative float64
}

var (
	surnames = newNames("surnames", surnameCount, knot{2000, 51.960}, knot{3000, 57.036}, knot{5000, 63.234}, knot{7000, 67.164},
		knot{10_000, 71.104}, knot{15_000, 75.279}, knot{20_000, 78.039}, knot{30_000, 81.669}, knot{50_000, 85.925}, knot{88_799, 90.483})
	female = newNames("female", 10_000, knot{500, 74.408}, knot{1000, 81.852}, knot{2000, 86.488}, knot{4275, 90.024})
	male   = newNames("male", 10_000, knot{500, 84.465}, knot{1000, 89.127}, knot{1219, 90.040})
)

// names is a population's names, the most common first.
type names struct {
	all        []string
	cumulative []float64 // share of people with this name or a more common one; the last is 1
}

func newNames(list string, count int, knots ...knot) func() *names {
	return sync.OnceValue(func() *names {
		n := readNames(list)
		n.extend(append(knots, knot{count, 100}))
		return n
	})
}

func readNames(list string) *names {
	file, err := lists.Open("testdata/" + list + ".txt")
	if err != nil {
		panic(err)
	}
	defer func() { _ = file.Close() }()
	n := &names{}
	total := 0.0
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var name string
		var per100000 float64
		if _, err := fmt.Sscan(lines.Text(), &name, &per100000); err != nil {
			panic(err)
		}
		total += per100000 / 100_000
		n.all, n.cumulative = append(n.all, name), append(n.cumulative, total)
	}
	return n
}

// extend adds made-up names. Between two knots, names become rarer with their rank, by Zipf's law.
func (n *names) extend(knots []knot) {
	made := newMint(n.all)
	last := knots[len(knots)-1]
	for _, k := range knots {
		if k != last && k.rank >= last.rank { // the short form has fewer names
			continue
		}
		from, at := len(n.all), n.cumulative[len(n.all)-1]
		for rank := from + 1; rank <= k.rank; rank++ {
			part := math.Log(float64(rank)/float64(from)) / math.Log(float64(k.rank)/float64(from))
			n.all = append(n.all, made.next())
			n.cumulative = append(n.cumulative, at+(k.cumulative/100-at)*part)
		}
	}
}

// draw returns the name of a random person.
func (n *names) draw(r *rand.Rand) string {
	i, _ := slices.BinarySearchFunc(n.cumulative, r.Float64(), cmp.Compare[float64])
	return n.all[min(i, len(n.all)-1)]
}

// share returns the share of the population that has the i-th name.
func (n *names) share(i int) float64 {
	if i == 0 {
		return n.cumulative[0]
	}
	return n.cumulative[i] - n.cumulative[i-1]
}

// mint makes up names that sound like given ones, without repetitions. Each letter depends on the two before it.
type mint struct {
	random *rand.Rand
	after  map[string][]byte // "$" ends a name
	made   map[string]bool
}

func newMint(like []string) *mint {
	m := &mint{rand.New(rand.NewPCG(1, uint64(len(like)))), map[string][]byte{}, map[string]bool{}}
	for _, name := range like {
		m.made[name] = true
		text := "^^" + name + "$"
		for i := 2; i < len(text); i++ {
			m.after[text[i-2:i]] = append(m.after[text[i-2:i]], text[i])
		}
	}
	return m
}

func (m *mint) next() string {
	for {
		text := "^^"
		for !strings.HasSuffix(text, "$") && len(text) < 16 {
			letters := m.after[text[len(text)-2:]]
			text += string(letters[m.random.IntN(len(letters))])
		}
		name := strings.Trim(text, "^$")
		if strings.HasSuffix(text, "$") && len(name) > 2 && !m.made[name] {
			m.made[name] = true
			return name
		}
	}
}
