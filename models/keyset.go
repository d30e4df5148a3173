package models

import "gorm.io/gorm"

// Keyset is a Tink keyset, wrapped by the key-encryption key. Without that key it is worthless.
type Keyset struct {
	Base
	Purpose string `gorm:"not null;uniqueIndex:keyset_purpose_key"`
	Wrapped string `gorm:"not null"` // Tink's JSON form of an encrypted keyset
}

// BeforeSave assigns the id.
func (k *Keyset) BeforeSave(*gorm.DB) error {
	k.assignID()
	return nil
}
