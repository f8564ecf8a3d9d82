;;; eglot.el --- How the scenarios drive eglot  -*- lexical-binding: t; -*-

(require 'eglot)
(setq eglot-sync-connect 20
      eglot-autoshutdown t
      eglot-confirm-server-initiated-edits nil)

(defun client-start ()
  "Give this buffer the server: a chronicle has it as its own, to any other it is given."
  (if (derived-mode-p 'sage-git-chronicle-mode)
      (call-interactively #'eglot)
    (sage-git-eglot))
  (steps-wait "the server" #'eglot-current-server))

(defun client-actions ()
  "What can be done about this line, each with its name."
  (mapcar (lambda (action) (cons (plist-get action :title) action))
          (eglot-code-actions (line-beginning-position) (line-end-position))))

(defun client-execute (action)
  "Do ACTION."
  (let ((command (plist-get action :command)))
    (eglot-execute-command (eglot-current-server)
                           (intern (plist-get command :command))
                           (plist-get command :arguments))))

(defun client-hover ()
  "What the echo area would say of the line."
  (let (said)
    (eglot-hover-eldoc-function (lambda (text &rest _) (setq said text)))
    (substring-no-properties (steps-wait "a hover" (lambda () said)))))

(defun client-complaints ()
  "What it warned of."
  (when-let ((said (get-buffer "*Messages*")))
    (seq-filter (lambda (line) (string-search "[eglot] (warning)" line))
                (split-string (with-current-buffer said (buffer-string)) "\n" t))))

(defun client-stop ()
  "Leave no server behind."
  (eglot-shutdown-all))
