"""The programs of one Hirewire on one machine: started, restarted when they die, stopped in order."""
