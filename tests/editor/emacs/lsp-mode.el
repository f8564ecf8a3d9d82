;;; lsp-mode.el --- How the scenarios drive lsp-mode, beside the server of a language  -*- lexical-binding: t; -*-

(require 'lsp-mode)
(setq lsp-auto-guess-root t
      lsp-diagnostics-provider :flymake
      lsp-session-file (expand-file-name "session" (getenv "HOME"))
      lsp-restart 'ignore
      lsp-warn-no-matched-clients nil)

;; What other clients would offer for Python, and what they would download.
(setq lsp-client-packages nil)
(lsp-register-client
 (make-lsp-client :new-connection (lsp-stdio-connection (lambda () (split-string (getenv "OTHER"))))
                  :major-modes '(python-mode)
                  :server-id 'other))

(defun client-start ()
  "Start all servers that this buffer is to have, and see that ours is among them."
  (lsp)
  (steps-wait "the servers"
              (lambda ()
                (and lsp--buffer-workspaces
                     (seq-every-p (lambda (each) (eq (lsp--workspace-status each) 'initialized)) lsp--buffer-workspaces)))))

(defun client-actions ()
  "What can be done about this line, each with its name."
  (mapcar (lambda (action) (cons (lsp-get action :title) action)) (lsp-code-actions-at-point)))

(defun client-execute (action)
  "Do ACTION."
  (lsp-execute-code-action action))

(defun client-hover ()
  "What the echo area would say of the line."
  (lsp-describe-thing-at-point)
  (with-current-buffer "*lsp-help*" (substring-no-properties (buffer-string))))

(defun client-complaints ()
  "What it warned of."
  (when-let ((warned (get-buffer "*Warnings*")))
    (seq-filter (lambda (line) (string-search "(lsp-mode)" line))
                (split-string (with-current-buffer warned (buffer-string)) "\n" t))))

(defun client-stop ()
  "Leave no server behind."
  (mapc #'lsp-workspace-shutdown (copy-sequence lsp--buffer-workspaces)))
