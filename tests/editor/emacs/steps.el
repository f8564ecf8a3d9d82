;;; steps.el --- What the scenarios beside this file share  -*- lexical-binding: t; -*-

(require 'eglot)
(require 'json)
(setq eglot-sync-connect 20
      eglot-autoshutdown t
      create-lockfiles nil
      make-backup-files nil
      eglot-confirm-server-initiated-edits nil)

(defun steps-wait (what look)
  "Go on once LOOK finds something, and give it; WHAT says what it is."
  (let ((deadline (+ (float-time) 20)) found)
    (while (and (not (setq found (funcall look))) (< (float-time) deadline))
      (accept-process-output nil 0.02))
    (or found (error "Waited in vain for %s" what))))

(defun steps-open (file start)
  "Visit FILE, and START the server for it."
  (find-file file)
  (funcall start)
  (flymake-mode 1)
  (steps-wait "the server" #'eglot-current-server))

(defun steps-diagnostics ()
  "What is marked, the first line first."
  (flymake-start)
  (sort (flymake-diagnostics)
        (lambda (one other) (< (flymake-diagnostic-beg one) (flymake-diagnostic-beg other)))))

(defun steps-marked ()
  "The first diagnostic, and the cursor on it."
  (let ((marked (car (steps-wait "a diagnostic" #'steps-diagnostics))))
    (goto-char (flymake-diagnostic-beg marked))
    marked))

(defun steps-act (title)
  "Do the action whose name has TITLE; gives the names of all."
  (let* ((actions (append (eglot-code-actions (line-beginning-position) (line-end-position)) nil))
         (named (lambda (action) (plist-get action :title)))
         (wanted (seq-find (lambda (action) (string-search title (downcase (funcall named action)))) actions)))
    (unless wanted (error "No action like %s: %S" title (mapcar named actions)))
    (let ((command (plist-get wanted :command)))
      (eglot-execute-command (eglot-current-server)
                             (intern (plist-get command :command))
                             (plist-get command :arguments)))
    (mapcar named actions)))

(defun steps-hover ()
  "What the echo area would say of the line."
  (let (said)
    (eglot-hover-eldoc-function (lambda (text &rest _) (setq said text)))
    (substring-no-properties (steps-wait "a hover" (lambda () said)))))

(defun steps-tell (&rest seen)
  "Print SEEN, a property list, as JSON, and leave."
  (princ (json-encode-plist seen))
  (eglot-shutdown-all)
  (kill-emacs 0))
