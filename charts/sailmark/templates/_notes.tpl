{{/* The permissions of rbac.yaml, a line each, for whoever grants them in its place. */}}
{{- define "sailmark.notes.rights" -}}
{{- $fullname := include "sailmark.fullname" . -}}
{{- $self := eq .Values.certificates.mode "self" -}}
{{- $waits := include "sailmark.waits" . -}}
{{- if or $self $waits }}
  {apiGroups: [admissionregistration.k8s.io], resources: [validatingwebhookconfigurations], resourceNames: [{{ $fullname }}], verbs: [get, {{ if $waits }}watch, {{ end }}patch]}
{{- end }}
{{- if and $self (ne .Values.pin "never") }}
  {apiGroups: [admissionregistration.k8s.io], resources: [mutatingwebhookconfigurations], resourceNames: [{{ include "sailmark.pinName" . }}], verbs: [get, patch]}
{{- end }}
{{- if include "sailmark.warmsUp" . }}
  {apiGroups: [""], resources: [pods], verbs: [list]}
{{- end }}
{{- if .Values.kubernetes.events }}
  {apiGroups: [events.k8s.io], resources: [events], verbs: [create, patch]}
{{- end }}
{{- if $self }}
  {apiGroups: [""], resources: [secrets], resourceNames: [{{ include "sailmark.certificateSecret" . }}], verbs: [get, update]}    # in namespace {{ .Release.Namespace }}
{{- end }}
{{- if eq .Values.evidence.write.kind "cluster" }}
  {apiGroups: [""], resources: [configmaps], resourceNames: [{{ include "sailmark.evidenceConfigMaps" . | fromJsonArray | join ", " }}], verbs: [get, watch, patch]}    # in namespace {{ .Release.Namespace }}
{{- end }}
{{- range include "sailmark.pullSecrets" . | fromJsonArray }}
  {apiGroups: [""], resources: [secrets], resourceNames: [{{ splitList "/" . | last }}], verbs: [get]}    # in namespace {{ splitList "/" . | first }}
{{- end }}
{{- end }}
