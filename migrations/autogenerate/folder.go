package autogenerate

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"novamind/migrations"
)

// folder is the folder in which migrations are written.
type folder struct {
	dir     string
	sets    map[string]migrations.Set // by engine
	missing map[string][]string       // by engine: the ids of versions whose files only the other engine has
	newest  int
}

// readFolder reads the migrations in dir. It accepts versions that one engine lacks yet.
func readFolder(dir string) (folder, error) {
	f := folder{dir: dir, sets: map[string]migrations.Set{}, missing: map[string][]string{}}
	for _, engine := range []string{migrations.Postgres, migrations.SQLite} {
		set, missing, err := migrations.LoadPartly(os.DirFS(dir), engine)
		if err != nil {
			return folder{}, err
		}
		f.sets[engine], f.missing[engine] = set, missing
		for _, m := range set.Migrations {
			number, err := strconv.Atoi(m.Version)
			if err != nil {
				return folder{}, err
			}
			f.newest = max(f.newest, number)
		}
	}
	return f, nil
}

// next returns the version n+1 after the newest.
func (f folder) next(n int) string { return fmt.Sprintf("%04d", f.newest+1+n) }

// scripts are the files of one version on one engine.
type scripts struct{ up, down string }

// versions returns the versions that s makes: one, or on PostgreSQL two.
func (s steps) versions(message string) []scripts {
	var out []scripts
	if len(s.up)+len(s.down) > 0 || !s.late() {
		out = append(out, scripts{up: join("-- "+message, s.up), down: join("-- Undoes: "+message, s.down)})
	}
	if s.late() {
		header := "-- " + migrations.NoTransaction + "\n-- "
		down := join("-- Undoes: "+message+".\n-- "+migrations.Irreversible+" what was validated goes with its constraint", nil)
		if len(s.lateDown) > 0 {
			down = join(header+"Undoes: "+message+".", s.lateDown)
		}
		out = append(out, scripts{up: join(header+message+": what would hold up others in one transaction.", s.lateUp), down: down})
	}
	return out
}

// join makes a file of statements.
func join(header string, statements []string) string {
	if len(statements) == 0 {
		return header + "\n\n-- Nothing to do on this engine.\nSELECT 1;\n"
	}
	var out strings.Builder
	out.WriteString(header + "\n\n")
	for _, s := range statements {
		out.WriteString(strings.TrimSuffix(strings.TrimSpace(s), ";") + ";\n")
	}
	return out.String()
}

// write saves the files of each engine. An engine that lacks versions of the other engine fills those first.
func (f folder) write(message string, byEngine map[string]steps) ([]string, error) {
	name, err := nameOf(message)
	if err != nil {
		return nil, err
	}
	files := map[string]string{}
	fresh := 0 // new versions
	for _, engine := range slices.Sorted(maps.Keys(byEngine)) {
		s := byEngine[engine]
		var versions []scripts
		if len(s.up)+len(s.lateUp) > 0 {
			versions = s.versions(message)
		}
		for _, id := range f.missing[engine] {
			v := scripts{up: join("-- "+message, nil), down: join("-- Undoes: "+message, nil)}
			if len(versions) > 0 {
				v, versions = versions[0], versions[1:]
			}
			files[id+"."+engine+".up.sql"], files[id+"."+engine+".down.sql"] = v.up, v.down
		}
		fresh = max(fresh, len(versions))
		for i, v := range versions {
			id := f.next(i) + "_" + suffixed(name, i)
			files[id+"."+engine+".up.sql"], files[id+"."+engine+".down.sql"] = v.up, v.down
		}
	}
	for i := range fresh {
		for engine := range byEngine {
			id := f.next(i) + "_" + suffixed(name, i)
			if _, ok := files[id+"."+engine+".up.sql"]; !ok {
				files[id+"."+engine+".up.sql"], files[id+"."+engine+".down.sql"] = join("-- "+message, nil), join("-- Undoes: "+message, nil)
			}
		}
	}
	return f.save(files)
}

// suffixed names the second version.
func suffixed(name string, i int) string {
	if i > 0 {
		return name + "_late"
	}
	return name
}

func sortedNames(files map[string]string) []string { return slices.Sorted(maps.Keys(files)) }
