{{/* Each of these templates returns a JSON list of sentences. */}}
{{- define "sailmark.problems.release" -}}
{{- $problems := list -}}
{{- with .Values -}}
{{- if not (has .mode (list "audit" "warn" "enforce")) -}}
{{- $problems = append $problems (printf "mode must be audit, warn or enforce; it is %q." .mode) -}}
{{- end -}}
{{- if not .image.repository -}}
{{- $problems = append $problems (join " " (list
      "image.repository is empty, and there is no default: build the image and push it to a registry of yours, as"
      "docs/install.md of the sources says, then set image.repository to its name there, such as"
      "registry.corp.example/sailmark.")) -}}
{{- end -}}
{{- if and (hasKey . "enabled") (eq (toString .enabled) "false") -}}
{{- $problems = append $problems (join " " (list
      "enabled is false, and the chart is rendered all the same: it is for the `condition` of a chart that has this one as"
      "a part. To install nothing, add that condition to its dependencies, or uninstall the release.")) -}}
{{- end -}}
{{- if and (not (kindIs "invalid" .replicas)) (lt (int .replicas) 1) -}}
{{- $problems = append $problems (join " " (list
      "replicas is 0: with no replica, Istio pods outside critical namespaces could not start in enforce, and nothing"
      "would be recorded in audit. To switch sailmark off, uninstall the release.")) -}}
{{- end -}}
{{- if has $.Release.Namespace (list "kube-system" "kube-public" "kube-node-lease") -}}
{{- $problems = append $problems (printf (join " " (list
      "sailmark needs a namespace of its own, not %s: the namespace of the release is a critical one, and whoever may"
      "write there may change what is verified. Use -n sailmark --create-namespace.")) $.Release.Namespace) -}}
{{- end -}}
{{- $fullname := include "sailmark.fullname" $ -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $fullname) -}}
{{- $problems = append $problems (printf (join " " (list
      "fullnameOverride is %q, and the name of a Service begins with a letter, and has letters, digits and hyphens only,"
      "without dots.")) $fullname) -}}
{{- end -}}
{{- if has $.Release.Namespace .excludedNamespaces -}}
{{- $problems = append $problems (printf (join " " (list
      "excludedNamespaces has %s, the release's own namespace, which is a critical one: its pods never need sailmark to"
      "start.")) $.Release.Namespace) -}}
{{- end -}}
{{- range $key, $port := dict "listen.webhook" .listen.webhook "listen.probes" .listen.probes -}}
{{- if and $.Values.hostNetwork (has (int $port) (list 10248 10249 10250 10255 10256)) -}}
{{- $problems = append $problems (printf (join " " (list
      "%s is %v, and hostNetwork is true: the kubelet and kube-proxy listen on ports 10248 to 10250, 10255 and 10256 of"
      "each node. Use another, such as 8443.")) $key $port) -}}
{{- else if and $.Values.hostNetwork (lt (int $port) 1024) -}}
{{- $problems = append $problems (printf (join " " (list
      "%s is %v, and hostNetwork is true: on a node, ports below 1024 need a capability that the container does not"
      "have. Use another, such as 8443.")) $key $port) -}}
{{- end -}}
{{- end -}}
{{- range $name, $monitor := default dict .metrics -}}
{{- $interval := include "sailmark.seconds" $monitor.interval | int -}}
{{- $timeout := include "sailmark.seconds" (default "" $monitor.scrapeTimeout) | int -}}
{{- if gt $timeout $interval -}}
{{- $problems = append $problems (printf (join " " (list
      "metrics.%s.scrapeTimeout is %s, longer than its interval %s: Prometheus refuses that."))
      $name $monitor.scrapeTimeout $monitor.interval) -}}
{{- end -}}
{{- end -}}
{{- if eq (int .listen.webhook) (int .listen.probes) -}}
{{- $problems = append $problems (printf
      "listen.webhook and listen.probes are both %v: probes are plain HTTP and need a port of their own."
      .listen.probes) -}}
{{- end -}}
{{- $limits := default dict (.config).limits -}}
{{- $drain := include "sailmark.seconds" (get $limits "drain" | default "15s") | int -}}
{{- if lt (int .terminationGracePeriodSeconds) (add $drain 35 | int) -}}
{{- $problems = append $problems (printf (join " " (list
      "terminationGracePeriodSeconds is %v, and config.limits.drain (%v s) plus 35 s for the last reviews is at least"
      "%v: if a pod is killed earlier, calls of the API server fail."))
      .terminationGracePeriodSeconds $drain (add $drain 35)) -}}
{{- end -}}
{{- $silence := include "sailmark.seconds" (get $limits "registrySilence" | default "3s") | int -}}
{{- $margin := include "sailmark.seconds" (get $limits "reviewMargin" | default "1s") | int -}}
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
{{- if and .scan.enabled (not .scan.serviceAccount.create) (not .scan.serviceAccount.name) -}}
{{- $problems = append $problems (join " " (list
      "scan.serviceAccount.create is false and scan.serviceAccount.name is empty: every pod of the namespace that names no"
      "account could list the cluster. Set scan.serviceAccount.name.")) -}}
{{- end -}}
{{- if and .scan.enabled (eq (include "sailmark.scanAccountName" $) (include "sailmark.serviceAccountName" $)) -}}
{{- $problems = append $problems (printf (join " " (list
      "scan.serviceAccount.name is %q, the webhook's own account, which would then have the scan's permissions: choose"
      "another.")) (include "sailmark.scanAccountName" $)) -}}
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
{{- if eq .mode "cert-manager" -}}
{{- $duration := include "sailmark.seconds" .certManager.duration | int -}}
{{- $renewBefore := include "sailmark.seconds" .certManager.renewBefore | int -}}
{{- if ge $renewBefore $duration -}}
{{- $problems = append $problems (printf (join " " (list
      "certificates.certManager.renewBefore is %s, and certificates.certManager.duration is %s: cert-manager refuses a"
      "certificate that is renewed before it is issued.")) .certManager.renewBefore .certManager.duration) -}}
{{- end -}}
{{- if or (lt $duration 3600) (lt $renewBefore 300) -}}
{{- $problems = append $problems (printf (join " " (list
      "certificates.certManager.duration is %s and renewBefore is %s: cert-manager wants at least 1h and 5m."))
      .certManager.duration .certManager.renewBefore) -}}
{{- end -}}
{{- end -}}
{{- if eq .mode "self" -}}
{{- $lifetime := include "sailmark.seconds" .self.lifetime | int -}}
{{- if gt $lifetime (include "sailmark.seconds" .self.caLifetime | int) -}}
{{- $problems = append $problems (printf
      "certificates.self.lifetime is %s, longer than certificates.self.caLifetime, %s."
      .self.lifetime .self.caLifetime) -}}
{{- end -}}
{{- if gt (mul 6 (include "sailmark.seconds" .self.overlap | int)) $lifetime -}}
{{- $problems = append $problems (printf (join " " (list
      "certificates.self.overlap is %s, more than a sixth of certificates.self.lifetime, %s: it would not end before a"
      "certificate does.")) .self.overlap .self.lifetime) -}}
{{- end -}}
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
{{- if and $claimed (ne .persistentVolumeClaim.accessMode "ReadWriteMany") (gt (int (default 2 $.Values.replicas)) 1) -}}
{{- $problems = append $problems (printf (join " " (list
      "evidence.write.persistentVolumeClaim.accessMode is %s, and there are %v replicas on several nodes: use"
      "ReadWriteMany, evidence.write.kind cluster, or one replica.")) .persistentVolumeClaim.accessMode (default "several" (toString (default "" $.Values.replicas)))) -}}
{{- end -}}
{{- end -}}
{{- range $values, $volumes := dict "files" (default dict .Values.files) "evidence.read" (default dict .Values.evidence.read) -}}
{{- range $name, $source := $volumes -}}
{{- if and (hasKey $source "image") (semverCompare "<1.31.0-0" $.Capabilities.KubeVersion.Version) -}}
{{- $problems = append $problems (printf (join " " (list
      "%s.%s is an image, and Kubernetes %s has no image volumes: they need Kubernetes 1.36, or 1.31 with the feature"
      "gate ImageVolume.")) $values $name $.Capabilities.KubeVersion.Version) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $mounts := concat (include "sailmark.ownVolumeMounts" $ | fromYamlArray) (default list .Values.extraVolumeMounts) -}}
{{- range include "sailmark.namedFiles" (dict "at" "config" "in" .Values.config) | fromJsonArray -}}
{{- $path := .path -}}
{{- /* What the image itself holds. */ -}}
{{- $held := hasPrefix "/etc/ssl/" $path -}}
{{- range $mounts }}{{ if hasPrefix (printf "%s/" (trimSuffix "/" .mountPath)) (printf "%s/" $path) }}{{ $held = true }}{{ end }}{{ end -}}
{{- $name := regexFind "^/etc/sailmark/[^/]+/" .path | trimPrefix "/etc/sailmark/" | trimSuffix "/" -}}
{{- if $held -}}
{{- else if $name -}}
{{- $problems = append $problems (printf
      "%s is %s, and files has no volume %s: add files.%s, such as {configMap: {name: …}}."
      .key .path $name $name) -}}
{{- else -}}
{{- $problems = append $problems (printf (join " " (list
      "%s is %s, which is in no volume: add its volume to files, and name it as /etc/sailmark/NAME/…, or mount it by"
      "extraVolumes and extraVolumeMounts.")) .key .path) -}}
{{- end -}}
{{- end -}}
{{- toJson $problems -}}
{{- end }}

{{/* Every path in a part of the configuration, with its key: a JSON list. Call with (dict "at" "config" "in" …). */}}
{{- define "sailmark.namedFiles" -}}
{{- $named := list -}}
{{- $below := dict -}}
{{- if kindIs "map" .in -}}
{{- range $key, $value := .in -}}
{{- $isPath := regexMatch "(?i)(file|dir|trustedRoot|dockerConfig)$|^config$" $key -}}
{{- if and $isPath $value (kindIs "string" $value) -}}
{{- $named = append $named (dict "key" (printf "%s.%s" $.at $key) "path" $value) -}}
{{- else -}}
{{- $_ := set $below (printf "%s.%s" $.at $key) $value -}}
{{- end -}}
{{- end -}}
{{- else if kindIs "slice" .in -}}
{{- range $index, $item := .in }}{{ $_ := set $below (printf "%s[%d]" $.at $index) $item }}{{ end -}}
{{- end -}}
{{- range $at, $in := $below -}}
{{- $named = concat $named (include "sailmark.namedFiles" (dict "at" $at "in" $in) | fromJsonArray) -}}
{{- end -}}
{{- toJson $named -}}
{{- end }}
