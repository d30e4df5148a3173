package config

import (
	"reflect"
	"strings"
)

// key is one setting: its path in config.yaml and its place in a Config.
type key struct {
	path  string
	value reflect.Value
	tag   reflect.StructTag
}

// keys lists every setting of cfg in the order of its declaration.
func keys(cfg *Config) []key { return keysIn("", reflect.ValueOf(cfg).Elem()) }

func keysIn(section string, v reflect.Value) []key {
	var list []key
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if !field.IsExported() {
			continue
		}
		path := section + field.Tag.Get("koanf")
		if field.Type.Kind() == reflect.Struct {
			list = append(list, keysIn(path+".", v.Field(i))...)
			continue
		}
		list = append(list, key{path: path, value: v.Field(i), tag: field.Tag})
	}
	return list
}

const variablePrefix = "NOVAMIND_"

// variable returns the name of the environment variable that sets the key.
func (k key) variable() string {
	return variablePrefix + strings.ToUpper(strings.ReplaceAll(k.path, ".", "__"))
}
