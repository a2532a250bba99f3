{{/*
The hubs and mirrors of the configuration as patterns, beside Istio's own. It does the same as src/istio/match-pattern.ts
and src/istio/exact-patterns.ts: `sailmark match-conditions` prints what is rendered here. The result is a JSON object:
`more` says which images could be on a hub or mirror, `exactly` which are directly below one.
*/}}
{{- define "sailmark.placePatterns" -}}
{{- $hubs := default list (.Values.config).hubs -}}
{{- $places := $hubs -}}
{{- range (.Values.config).mirrors }}{{ $places = append $places .mirror }}{{ end -}}
{{- $builtIn := splitList "\n" (.Files.Get "files/built-in-hubs.txt" | trim) -}}
{{- $more := list -}}
{{- $exactly := list -}}
{{- range $index, $place := $places -}}
{{- $lower := lower $place -}}
{{- $path := regexReplaceAll "^(index\\.)?docker\\.io/" $lower "" -}}
{{- $onDockerHub := or (ne $path $lower) (not (regexMatch "^[^/]*[.:A-Z]|^localhost(/|$)" $place)) -}}
{{/* The pattern of Istio's own names matches a place with `istio` in its name. */}}
{{- if not (contains "istio" $lower) -}}
{{- $more = append $more (ternary (printf `(?:^\W*|docker\.io/)%s/` (regexQuoteMeta $path)) (printf "%s/" (regexQuoteMeta $lower)) $onDockerHub) -}}
{{- end -}}
{{/* The pattern of the built-in hubs, which leaves their samples out, matches them; a mirror's are not left out. */}}
{{- if not (and (lt $index (len $hubs)) (has (ternary (printf "docker.io/%s" $path) $lower $onDockerHub) $builtIn)) -}}
{{- $exactly = append $exactly (printf "^%s%s/[^/]*$" (ternary `(?:(?:index\.)?docker\.io/)?` "" $onDockerHub) (regexQuoteMeta (ternary $path $lower $onDockerHub))) -}}
{{- end -}}
{{- end -}}
{{- toJson (dict "more" $more "exactly" $exactly) -}}
{{- end }}

{{/* The API server sends only pods with a new or changed image that could be Istio's. */}}
{{- define "sailmark.matchConditions" -}}
- name: new-or-changed-istio-image
  expression: |-
    {{- $patterns := include "sailmark.placePatterns" . | fromJson }}
    {{- $revoked := list }}
    {{- range (.Values.config).revoked }}{{ $revoked = append $revoked (trunc 19 .digest) }}{{ end }}
    {{- $more := "" }}
    {{- range concat $patterns.more $revoked | uniq }}{{ $more = printf "%s|%s" $more . }}{{ end }}
    {{- $exactly := "" }}
    {{- range concat $patterns.exactly $revoked | uniq }}{{ $exactly = printf "%s|%s" $exactly . }}{{ end }}
    {{- .Files.Get "files/match-condition.cel" | trim | replace "<more>" $more | replace "<exactly>" $exactly | nindent 4 }}
{{- end }}
