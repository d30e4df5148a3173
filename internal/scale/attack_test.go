package scale

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"novamind/internal/phi"
	"novamind/models"
)

// knowledge is the prior knowledge of an attacker: the expected numbers of patients with a name, and with a beginning
// of a name.
type knowledge struct {
	names    map[string]map[string]float64 // by index
	prefixes map[string]float64
	// The numbers of additional patients that may share a token of a name or a beginning. Truncated tokens are
	// shared, and the attacker's knowledge is not exact.
	strayNames, strayPrefixes float64
}

func newKnowledge(strayNames, strayPrefixes float64) *knowledge {
	return &knowledge{map[string]map[string]float64{lastName.index: {}, firstName.index: {}}, map[string]float64{}, strayNames, strayPrefixes}
}

const (
	minPrefix = models.MinPrefix
	maxPrefix = 4
)

// ofPopulation is the knowledge of an attacker that knows how common names are in the population.
func ofPopulation(n int) *knowledge {
	const tokens = 1 << 16
	k := newKnowledge(float64(n)/tokens, 6*float64(n)/tokens)
	add := func(of *names, index string, weight float64) {
		for i, name := range of.all {
			k.add(index, name, of.share(i)*weight*float64(n))
		}
	}
	add(surnames(), lastName.index, 1)
	add(female(), firstName.index, 0.5)
	add(male(), firstName.index, 0.5)
	return k
}

// ofClinic is the knowledge of an attacker that has a list of the clinic's patients, but not their rows.
func ofClinic(all []*models.Patient) *knowledge {
	k := newKnowledge(0.5, 0.5)
	for _, p := range all {
		for _, f := range []field{lastName, firstName} {
			for _, name := range f.forms(p) {
				k.add(f.index, name, 1)
			}
		}
	}
	return k
}

func (k *knowledge) add(index, name string, patients float64) {
	name = phi.NormalizeName(name)
	k.names[index][name] += patients
	for _, prefix := range prefixesOf(name) {
		k.prefixes[prefix] += patients
	}
}

func prefixesOf(name string) []string {
	var out []string
	for length := minPrefix; length <= min(maxPrefix, len(name)); length++ {
		out = append(out, name[:length])
	}
	return out
}

// byRank guesses that the most frequent token belongs to the most common value, the next to the next, and so on.
func (s *stolen) byRank(index string, expected map[string]float64) map[string]string {
	values := slices.SortedFunc(maps.Keys(expected), func(a, b string) int {
		return cmp.Or(cmp.Compare(expected[b], expected[a]), cmp.Compare(a, b))
	})
	guesses := map[string]string{}
	for i, token := range s.of(index) {
		if i < len(values) {
			guesses[token] = values[i]
		}
	}
	return guesses
}

// byDictionary is the most that the tokens of one index alone can reveal. The attacker can have any name indexed, so
// they know each token's names, and guess the most common of them.
func (s *stolen) byDictionary(f field) map[string]string {
	guesses := map[string]string{}
	for _, token := range s.of(f.index) {
		counts := map[string]int{}
		for _, i := range s.holders[token] {
			for _, name := range f.forms(s.all[i]) {
				counts[name]++
			}
		}
		guesses[token] = mostOf(counts)
	}
	return guesses
}

// rounds is the number of rounds of the joint attack. More rounds improve nothing.
const rounds = 4

// jointly guesses the name behind each token of a field from two facts. One is the number of patients with the token.
// The other is the set of beginnings that all these patients share: these beginnings belong to the name, and each is
// about as frequent as in the population. A prefix token stands for one beginning. The beginning that most patients'
// guesses give it is used for the others in the next round.
func (s *stolen) jointly(f, other field, k *knowledge) map[string]string {
	tree := newTree(k, f.index)
	tokens := s.of(f.index)
	prefixes := map[string][]string{}
	for _, token := range tokens {
		prefixes[token] = s.byCount(s.ownPrefixes(token, other))
	}
	guesses, meant := map[string]string{}, map[string]string{}
	for range rounds {
		votes := map[string]map[string]int{}
		for _, token := range tokens {
			guess := tree.likeliest(s, prefixes[token], meant, len(s.holders[token]))
			guesses[token] = guess
			for i, prefix := range prefixesOf(guess) {
				of := prefixes[token][i]
				if votes[of] == nil {
					votes[of] = map[string]int{}
				}
				votes[of][prefix] += len(s.holders[token])
			}
		}
		for prefix, count := range votes {
			meant[prefix] = mostOf(count)
		}
	}
	return guesses
}

// mostOf returns the value with the highest count.
func mostOf(counts map[string]int) string {
	return slices.MinFunc(slices.Collect(maps.Keys(counts)), func(a, b string) int {
		return cmp.Or(counts[b]-counts[a], cmp.Compare(a, b))
	})
}

// ownPrefixes returns the prefix tokens of a name's token: all patients with the name have them. If these patients
// are few, it leaves out the prefixes of their other name.
func (s *stolen) ownPrefixes(token string, other field) []string {
	own := s.common(token)
	if len(own) <= maxPrefix-minPrefix+1 || other.index == "" {
		return own
	}
	first := s.holders[token][0]
	for _, otherToken := range s.tokens[first][other.index] {
		foreign := s.common(otherToken)
		own = slices.DeleteFunc(own, func(prefix string) bool { return slices.Contains(foreign, prefix) })
	}
	return own
}

// common returns the prefix tokens that all patients with a token have.
func (s *stolen) common(token string) []string {
	holders := s.holders[token]
	own := slices.Clone(s.tokens[holders[0]]["name_prefix"])
	for _, i := range holders[1:] {
		own = slices.DeleteFunc(own, func(prefix string) bool { return !slices.Contains(s.tokens[i]["name_prefix"], prefix) })
	}
	return own
}

// byCount returns prefix tokens, the most frequent first. Longer beginnings are rarer.
func (s *stolen) byCount(tokens []string) []string {
	slices.SortFunc(tokens, func(a, b string) int {
		return cmp.Or(len(s.holders[b])-len(s.holders[a]), cmp.Compare(a, b))
	})
	return tokens[:min(len(tokens), maxPrefix-minPrefix+1)]
}

// node is a beginning of names; a leaf is a name.
type node struct {
	text     string
	expected float64
	children []*node
}

// newTree sorts names into a tree by their beginnings.
func newTree(k *knowledge, index string) *node {
	root := &node{}
	nodes := map[string]*node{}
	for _, name := range slices.Sorted(maps.Keys(k.names[index])) {
		parent := root
		for _, prefix := range prefixesOf(name) {
			child := nodes[prefix]
			if child == nil {
				child = &node{prefix, k.prefixes[prefix] + k.strayPrefixes, nil}
				nodes[prefix] = child
				parent.children = append(parent.children, child)
			}
			parent = child
		}
		parent.children = append(parent.children, &node{name, k.names[index][name] + k.strayNames, nil})
	}
	return root
}

// unmeant is the logarithm of the probability that a beginning differs from most guesses.
const unmeant = -8

// byChance is the lowest fit of a count, because truncated tokens are sometimes shared.
const byChance = -40

// likeliest returns the most likely name. The numbers of patients with these prefix tokens must fit its beginnings,
// and self must fit the name itself. meant has the guessed beginnings of the tokens so far.
func (n *node) likeliest(s *stolen, prefixes []string, meant map[string]string, self int) string {
	best, bestFit := "", math.Inf(-1)
	var visit func(n *node, depth int, fit float64)
	visit = func(n *node, depth int, fit float64) {
		for _, step := range n.steps(s, prefixes, meant, self, depth) {
			switch fit := fit + step.fit; {
			case fit <= bestFit: // no fit is above 0, so no later step is better
				return
			case step.to.children == nil:
				best, bestFit = step.to.text, fit
			default:
				visit(step.to, depth+1, fit)
			}
		}
	}
	visit(n, 0, 0)
	return best
}

type step struct {
	to  *node
	fit float64
}

// steps returns the nodes under n that may come next, the likeliest first. As many beginnings follow as there are
// prefix tokens, and then a name.
func (n *node) steps(s *stolen, prefixes []string, meant map[string]string, self, depth int) []step {
	count := float64(self)
	if depth < len(prefixes) {
		count = float64(len(s.holders[prefixes[depth]]))
	}
	log, _ := math.Lgamma(count + 1)
	var steps []step
	for _, child := range n.children {
		if (child.children == nil) != (depth == len(prefixes)) {
			continue
		}
		// Poisson's, unless other patients share the token.
		fit := max(count*math.Log(child.expected)-child.expected-log, byChance)
		if depth < len(prefixes) && meant[prefixes[depth]] != "" && meant[prefixes[depth]] != child.text {
			fit += unmeant
		}
		steps = append(steps, step{child, fit})
	}
	slices.SortStableFunc(steps, func(a, b step) int { return cmp.Compare(b.fit, a.fit) })
	return steps
}
