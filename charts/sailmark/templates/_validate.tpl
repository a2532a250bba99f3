{{/* Each of these templates returns a JSON list of sentences. */}}
{{- define "sailmark.problems.release" -}}
{{- $problems := list -}}
{{- with .Values -}}
{{- if not (has .mode (list "audit" "warn" "enforce")) -}}
{{- $problems = append $problems (printf "mode must be audit, warn or enforce; it is %q." .mode) -}}
{{- end -}}
{{- if lt (int .replicas) 1 -}}
{{- $problems = append $problems (join " " (list
      "replicas is 0: with no replica, Istio pods outside critical namespaces could not start in enforce, and nothing"
      "would be recorded in audit. To switch sailmark off, uninstall the release.")) -}}
{{- end -}}
{{- if has $.Release.Namespace (list "kube-system" "kube-public" "kube-node-lease") -}}
{{- $problems = append $problems (printf (join " " (list
      "sailmark needs a namespace of its own, not %s: the namespace of the release is a critical one, and whoever may"
      "write there may change what is verified. Use -n sailmark --create-namespace.")) $.Release.Namespace) -}}
{{- end -}}
{{- if eq (int .listen.webhook) (int .listen.probes) -}}
{{- $problems = append $problems (printf
      "listen.webhook and listen.probes are both %v: probes are plain HTTP and need a port of their own."
      .listen.probes) -}}
{{- end -}}
{{- $drain := include "sailmark.seconds" (get .config.limits "drain" | default "15s") | int -}}
{{- if lt (int .terminationGracePeriodSeconds) (add $drain 35 | int) -}}
{{- $problems = append $problems (printf (join " " (list
      "terminationGracePeriodSeconds is %v, and config.limits.drain (%v s) plus 35 s for the last reviews is at least"
      "%v: if a pod is killed earlier, calls of the API server fail."))
      .terminationGracePeriodSeconds $drain (add $drain 35)) -}}
{{- end -}}
{{- $silence := include "sailmark.seconds" (get .config.limits "registrySilence" | default "3s") | int -}}
{{- $margin := include "sailmark.seconds" (get .config.limits "reviewMargin" | default "1s") | int -}}
{{- if and (ne .pin "never") (le (int .webhook.pinTimeoutSeconds) (add $silence $margin 1 | int)) -}}
{{- $problems = append $problems (printf (join " " (list
      "webhook.pinTimeoutSeconds is %v, and config.limits.registrySilence (%v s), config.limits.reviewMargin (%v s) and a"
      "second are %v: in an outage of its registry no known tag could be pinned, and so none would start."))
      .webhook.pinTimeoutSeconds $silence $margin (add $silence $margin 1)) -}}
{{- end -}}
{{- if and .webhook.url (not (regexMatch "^https://[^/?#@]+/?$" .webhook.url)) -}}
{{- $problems = append $problems (printf
      "webhook.url must be https://host:port and nothing more, because the chart adds the path; it is %q."
      .webhook.url) -}}
{{- end -}}
{{- if and (not .serviceAccount.create) (not .serviceAccount.name) (include "sailmark.asksApi" $) -}}
{{- $problems = append $problems (join " " (list
      "serviceAccount.create is false and serviceAccount.name is empty: every pod of the namespace that names no"
      "account would have sailmark's permissions. Set serviceAccount.name.")) -}}
{{- end -}}
{{- end -}}
{{- toJson $problems -}}
{{- end }}

{{- define "sailmark.problems.certificates" -}}
{{- $problems := list -}}
{{- with .Values.certificates -}}
{{- if not (has .mode (list "self" "cert-manager" "provided")) -}}
{{- $problems = append $problems (printf
      "certificates.mode must be self, cert-manager or provided; it is %q."
      .mode) -}}
{{- end -}}
{{- if and (eq .mode "cert-manager") (not ($.Capabilities.APIVersions.Has "cert-manager.io/v1")) -}}
{{- $problems = append $problems (join " " (list
      "certificates.mode is cert-manager, and this cluster has no API cert-manager.io/v1: install cert-manager"
      "first, or use mode self. (To render without a cluster: --api-versions cert-manager.io/v1.)")) -}}
{{- end -}}
{{- if eq .mode "provided" -}}
{{- if not .provided.secret -}}
{{- $problems = append $problems (printf (join " " (list
      "certificates.mode is provided: name the Secret with tls.crt and tls.key for %s in"
      "certificates.provided.secret.")) (include "sailmark.host" $)) -}}
{{- end -}}
{{- if and (not .provided.caBundle) (not $.Values.webhook.annotations) -}}
{{- $problems = append $problems (join " " (list
      "certificates.mode is provided, and nothing tells the API server which CA to trust: set"
      "certificates.provided.caBundle, as PEM, or the annotation of an injector in webhook.annotations.")) -}}
{{- end -}}
{{- if and .provided.caBundle (not (regexMatch "^\\s*-----BEGIN CERTIFICATE-----" .provided.caBundle)) -}}
{{- $problems = append $problems (join " " (list
      "certificates.provided.caBundle must be PEM (-----BEGIN CERTIFICATE-----), not base64 of it: use"
      "--set-file.")) -}}
{{- end -}}
{{- else if or .provided.secret .provided.caBundle -}}
{{- $problems = append $problems (printf
      "certificates.provided is set, and certificates.mode is %s: set the mode to provided, or remove it."
      .mode) -}}
{{- end -}}
{{- end -}}
{{- toJson $problems -}}
{{- end }}

{{- define "sailmark.problems.volumes" -}}
{{- $problems := list -}}
{{- with .Values.evidence.write -}}
{{- if not (has .kind (list "cluster" "emptyDir" "persistentVolumeClaim" "none")) -}}
{{- $problems = append $problems (printf
      "evidence.write.kind must be cluster, emptyDir, persistentVolumeClaim or none; it is %q."
      .kind) -}}
{{- end -}}
{{- if and (ne .kind "persistentVolumeClaim") .persistentVolumeClaim.existingClaim -}}
{{- $problems = append $problems (printf (join " " (list
      "evidence.write.persistentVolumeClaim.existingClaim is set, and evidence.write.kind is %s: set it to"
      "persistentVolumeClaim, or remove the claim.")) .kind) -}}
{{- end -}}
{{- $claimed := and (eq .kind "persistentVolumeClaim") (not .persistentVolumeClaim.existingClaim) -}}
{{- if and $claimed (ne .persistentVolumeClaim.accessMode "ReadWriteMany") (gt (int $.Values.replicas) 1) -}}
{{- $problems = append $problems (printf (join " " (list
      "evidence.write.persistentVolumeClaim.accessMode is %s, and there are %v replicas on several nodes: use"
      "ReadWriteMany, evidence.write.kind cluster, or one replica.")) .persistentVolumeClaim.accessMode $.Values.replicas) -}}
{{- end -}}
{{- end -}}
{{- range $values, $volumes := dict "files" .Values.files "evidence.read" .Values.evidence.read -}}
{{- range $name, $source := $volumes -}}
{{- if and (hasKey $source "image") (semverCompare "<1.31.0-0" $.Capabilities.KubeVersion.Version) -}}
{{- $problems = append $problems (printf (join " " (list
      "%s.%s is an image, and Kubernetes %s has no image volumes: they need Kubernetes 1.36, or 1.31 with the feature"
      "gate ImageVolume.")) $values $name $.Capabilities.KubeVersion.Version) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range include "sailmark.namedFiles" . | fromJsonArray -}}
{{- $name := regexFind "^/etc/sailmark/[^/]+" .path | trimPrefix "/etc/sailmark/" -}}
{{- if and $name (not (hasKey $.Values.files $name)) -}}
{{- $problems = append $problems (printf
      "%s is %s, and files has no volume %s: add files.%s, such as {configMap: {name: …}}."
      .key .path $name $name) -}}
{{- end -}}
{{- end -}}
{{- toJson $problems -}}
{{- end }}

{{/* Every path that the configuration names, with its key: a JSON list. */}}
{{- define "sailmark.namedFiles" -}}
{{- $named := list -}}
{{- range $index, $key := .Values.config.keys -}}
{{- $named = append $named (dict "key" (printf "config.keys[%d].file" $index) "path" (get $key "file" | default "")) -}}
{{- end -}}
{{- $named = append $named (dict "key" "config.trustedRoot" "path" (.Values.config.trustedRoot | default "")) -}}
{{- range $index, $registry := .Values.config.registries -}}
{{- $at := printf "config.registries[%d]" $index -}}
{{- $credentials := get $registry "credentials" | default dict -}}
{{- $providers := get $credentials "providers" | default dict -}}
{{- $named = append $named (dict "key" (printf "%s.caFile" $at) "path" (get $registry "caFile" | default "")) -}}
{{- $dockerConfig := get $credentials "dockerConfig" | default "" -}}
{{- $named = append $named (dict "key" (printf "%s.credentials.dockerConfig" $at) "path" $dockerConfig) -}}
{{- range list "config" "binDir" -}}
{{- $path := get $providers . | default "" -}}
{{- $named = append $named (dict "key" (printf "%s.credentials.providers.%s" $at .) "path" $path) -}}
{{- end -}}
{{- end -}}
{{- toJson $named -}}
{{- end }}
