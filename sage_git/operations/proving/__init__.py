"""Have an entry of the record proved to somebody who has nothing but a file; and check such files, anywhere."""
