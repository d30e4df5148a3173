package handler

// vocabularies are the values of members and parameters that take some words only. The tag values:"…" names one.
var vocabularies = map[string][]string{}
