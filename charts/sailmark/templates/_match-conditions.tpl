{{/* Which pods the API server sends at all: those with an image that could be Istio's. */}}
{{- define "sailmark.matchConditions" -}}
{{- end }}
