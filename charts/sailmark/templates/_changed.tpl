{{/*
The values of this release that files/changed-values.yaml lists: a JSON list of sentences. Call with (dict "root" $ "works" …):
true for those that are deprecated, false for those that are gone.
*/}}
{{- define "sailmark.changedValues" -}}
{{- $sentences := list -}}
{{- range .root.Files.Get "files/changed-values.yaml" | fromYamlArray -}}
{{- if eq (default false .works) $.works -}}
{{- $node := $.root.Values -}}
{{- $isSet := true -}}
{{- range splitList "." .value -}}
{{- $isSet = and $isSet (kindIs "map" $node) (hasKey (ternary $node dict (kindIs "map" $node)) .) -}}
{{- $node = ternary (get (ternary $node dict (kindIs "map" $node)) .) dict $isSet -}}
{{- end -}}
{{- if $isSet -}}
{{- $sentences = append $sentences (printf "%s is %s since %s: %s" .value (ternary "deprecated" "gone" $.works) (toString .since) .instead) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $sentences -}}
{{- end }}
