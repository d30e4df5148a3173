package service

import (
	"slices"

	"novamind/internal/audit"
	"novamind/models"
)

// AuditFilters returns the filters of the audit log that take only known values: the values by the name of the query
// parameter. Any other value matches no event, and is most likely misspelt.
func AuditFilters() map[string][]string {
	return map[string][]string{
		"action":      slices.Sorted(slices.Values(audit.Actions())),
		"entity_type": auditEntityTypes(),
		"outcome":     audit.Outcomes(),
		"origin":      audit.Origins(),
	}
}

// noTables are the entity types of events that are not about rows of tables.
var noTables = []string{"auditreview", "request", "schemamigration"}

func auditEntityTypes() []string {
	types := slices.Clone(noTables)
	for _, m := range models.All() {
		types = append(types, models.TableOf(m))
	}
	slices.Sort(types)
	return types
}
