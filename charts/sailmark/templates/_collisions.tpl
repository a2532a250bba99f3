{{/* What the values add to the pod beside what is already there: a JSON list of sentences, as in _validate.tpl. */}}
{{- define "sailmark.problems.additions" -}}
{{- $problems := list -}}
{{- $problems = concat $problems (include "sailmark.problems.env" . | fromJsonArray) -}}
{{- $own := include "sailmark.ownVolumes" . | fromYamlArray -}}
{{- $names := list -}}
{{- range $own }}{{ $names = append $names .name }}{{ end -}}
{{- range $index, $volume := .Values.extraVolumes -}}
{{- if has .name $names -}}
{{- $problems = append $problems (printf
      "extraVolumes[%d].name is %s, and the pod already has a volume of that name: choose another."
      $index .name) -}}
{{- end -}}
{{- $names = append $names .name -}}
{{- end -}}
{{- $problems = concat $problems (include "sailmark.problems.mounts" (dict "root" . "volumes" $names) | fromJsonArray) -}}
{{- $containers := list "sailmark" -}}
{{- range $index, $container := .Values.extraInitContainers -}}
{{- if has .name $containers -}}
{{- $problems = append $problems (printf
      "extraInitContainers[%d].name is %s, and the pod already has a container of that name: choose another."
      $index .name) -}}
{{- end -}}
{{- $containers = append $containers .name -}}
{{- end -}}
{{- range $index, $argument := .Values.extraArgs -}}
{{- if regexMatch "^--config(=|$)" $argument -}}
{{- $problems = append $problems (printf
      "extraArgs[%d] is %s, and the chart writes the configuration file: use the values below config."
      $index $argument) -}}
{{- end -}}
{{- end -}}
{{- toJson $problems -}}
{{- end }}

{{- define "sailmark.problems.env" -}}
{{- $problems := list -}}
{{- $names := list -}}
{{- range $index, $variable := .Values.extraEnv -}}
{{- if has .name $names -}}
{{- $problems = append $problems (printf
      "extraEnv[%d].name is %s, which extraEnv already has: a variable has one value."
      $index .name) -}}
{{- end -}}
{{- if and (eq .name "NODE_OPTIONS") (hasKey . "valueFrom") -}}
{{- $problems = append $problems (printf (join " " (list
      "extraEnv[%d] takes NODE_OPTIONS from elsewhere, and the chart limits Node's heap by it: give it as a value, which"
      "is added to the chart's own.")) $index) -}}
{{- end -}}
{{- $names = append $names .name -}}
{{- end -}}
{{- toJson $problems -}}
{{- end }}

{{/*
A mount on, above or below another hides it, or cannot be made where the other is read only. Call with
(dict "root" $ "volumes" the names of all volumes).
*/}}
{{- define "sailmark.problems.mounts" -}}
{{- $problems := list -}}
{{- $mounts := include "sailmark.ownVolumeMounts" .root | fromYamlArray -}}
{{- range $index, $mount := .root.Values.extraVolumeMounts -}}
{{- if not (has .name $.volumes) -}}
{{- $problems = append $problems (printf
      "extraVolumeMounts[%d].name is %s, and the pod has no volume of that name: add it to extraVolumes."
      $index .name) -}}
{{- end -}}
{{- $path := printf "%s/" (trimSuffix "/" .mountPath) -}}
{{- range $mounts -}}
{{- $other := printf "%s/" (trimSuffix "/" .mountPath) -}}
{{- if or (eq $path $other) (hasPrefix $path $other) (and .readOnly (hasPrefix $other $path)) -}}
{{- $problems = append $problems (printf
      "extraVolumeMounts[%d].mountPath is %s, and the pod already has %s: choose another directory."
      $index $mount.mountPath .mountPath) -}}
{{- end -}}
{{- end -}}
{{- $mounts = append $mounts (dict "mountPath" .mountPath) -}}
{{- end -}}
{{- toJson $problems -}}
{{- end }}
